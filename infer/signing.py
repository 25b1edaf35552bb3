"""Signed bundles: an OpenSSF model signature, `bertline.sig`, over every other file of the bundle."""

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError, VerificationError
from bertline.files import whole_file
from bertline.schema import parse_json

SIGNATURE = "bertline.sig"
_CURVES = ("secp256r1", "secp384r1", "secp521r1")  # P-256, P-384, P-521: what model-signing takes
_NAMED = 5  # faults in one line
_AGAIN = "take the bundle from its source again"
_HOW = (
    "make one with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem, "
    "and its public half with openssl pkey -in key.pem -pubout -out public.pem"
)


@dataclass
class _Hashed:
    """In the place of model-signing's hashing: a folder that was hashed before, whole whatever a signature leaves out.

    `used` says that model-signing came to compare files, which it does once it has found the signature itself good.
    """

    manifest: Any
    used: bool = field(default=False, init=False)

    def hash(self, folder: Path, *, files_to_hash: object = None) -> Any:
        self.used = True
        return self.manifest

    def add_ignored_paths(self, *, model_path: Path, paths: object) -> None:
        """What a signature wants left out is not."""

    @property
    def files(self) -> dict[str, str]:
        """sha256 by name."""
        return {of.identifier: of.digest.digest_hex for of in self.manifest.resource_descriptors()}


def sign(path: Path, key: Path, *, force: bool = False) -> Path:
    """Sign a finished bundle with a private key (PEM, EC P-256, not encrypted); the signature file.

    Raises VerificationError for a bundle that is not as its manifest says, or holds a file that it does not list;
    BertlineError for a folder that is no bundle, a key of another kind, or a bundle signed before unless `force`.
    """
    from model_signing.signing import Config

    bundle, target = Bundle.open(path), path / SIGNATURE
    _require_key(key, private=True)
    if os.path.lexists(target) and not force:
        raise BertlineError(f"{target}: the bundle is signed already; --force to replace the signature")
    hashed = _hashed(path)
    expected = {name: entry.sha256 for name, entry in bundle.manifest.files.items()} | {MANIFEST: bundle.sha256}
    if faults := _differences(expected, hashed.files, f"listed in {MANIFEST}"):
        raise VerificationError(
            f"{path}: is not signed, for {_shown(faults)}; export it again, or take out what is extra"
        )
    with TemporaryDirectory() as folder, whole_file(target, force=force) as stream:
        content = Path(folder) / SIGNATURE
        config = Config().set_hashing_config(hashed).use_elliptic_key_signer(private_key=key)
        config.sign(path.resolve(), content)
        stream.write(content.read_bytes())
    return target


def check_signature(path: Path, public_key: Path) -> int:
    """Check that a bundle is, file by file, what the owner of this key signed, before anything else reads it.

    Returns the number of files. Raises VerificationError where it is not, which names what is missing, changed or
    extra; BertlineError for a folder that is not there, or a key that is none.
    """
    from cryptography.exceptions import InvalidSignature
    from model_signing.verifying import Config

    own, target = _fingerprint(_require_key(public_key, private=False)), path / SIGNATURE
    hashed = _hashed(path)
    if not target.is_file():
        raise VerificationError(f"{path}: has no {SIGNATURE}, so nobody signed it; bertline sign BUNDLE --key KEY does")
    try:
        signer, signed = _stated(target)
        if signer != own:
            raise VerificationError(
                f"{target}: was signed with another key ({signer[:12]}) than {public_key} ({own[:12]}); "
                "give its signer's public key"
            )
        Config().set_hashing_config(hashed).use_elliptic_key_verifier(public_key=public_key).verify(path, target)
    except InvalidSignature:
        raise VerificationError(f"{target}: the signature is not that of its contents; {_AGAIN}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if not hashed.used:
            raise VerificationError(f"{target}: is no model signature ({type(error).__name__}); {_AGAIN}") from None
        differences = _differences(signed, hashed.files, "signed") or [str(error)]
        raise VerificationError(f"{path}: {_shown(differences)}; {_AGAIN}") from None
    return len(hashed.files)


def _hashed(path: Path) -> _Hashed:
    """Every file of a bundle but its signature."""
    from model_signing.hashing import Config

    if not path.is_dir():
        raise BertlineError(f"{path}: no such bundle folder; name one that bertline export made")
    odd = [f"{name} is {what}" for name, what in _neither_file_nor_folder(path)]
    if odd:
        raise VerificationError(f"{path}: {_shown(odd)}; copy the files themselves there, without links")
    hashing = Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)
    return _Hashed(hashing.hash(path.resolve()))


def _neither_file_nor_folder(root: Path) -> Iterator[tuple[str, str]]:
    """Links, pipes and the like: (name, what it is)."""
    for folder, folders, files in os.walk(root):
        for name in sorted([*folders, *files]):
            path = Path(folder) / name
            if path.is_symlink():
                yield path.relative_to(root).as_posix(), "a link"
            elif not path.is_file() and not path.is_dir():
                yield path.relative_to(root).as_posix(), "neither file nor folder"


def _stated(target: Path) -> tuple[str, dict[str, str]]:
    """The signer's fingerprint, and sha256 by name, as the signature file has them: not yet to be trusted.

    Raises ValueError, KeyError or TypeError for a file that is no signature.
    """
    document = parse_json(target.read_bytes())
    statement = parse_json(base64.b64decode(document["dsseEnvelope"]["payload"]))
    files = {of["name"]: of["digest"] for of in statement["predicate"]["resources"]}
    return str(document["verificationMaterial"]["publicKey"]["hint"]), files


def _fingerprint(key: Any) -> str:
    """What a signature calls its key: sha256 of the public half in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _differences(expected: Mapping[str, str], found: Mapping[str, str], said: str) -> list[str]:
    """What is wrong with the files found, by name; both are sha256 by name."""
    extra, faults = sorted(found.keys() - expected.keys()), []
    for name in sorted(expected):
        if name not in found:
            renamed = next((other for other in extra if found[other] == expected[name]), None)
            faults.append(f"{name} is named {renamed}" if renamed else f"{name} is missing")
            extra = [other for other in extra if other != renamed]
        elif found[name] != expected[name]:
            faults.append(f"{name} has changed (its sha256 is not the one {said})")
    return faults + [f"{name} is extra (not {said})" for name in extra]


def _shown(faults: list[str]) -> str:
    more = [f"and {len(faults) - _NAMED:,} more"] if len(faults) > _NAMED else []
    return "; ".join([*faults[:_NAMED], *more])


def _require_key(path: Path, *, private: bool) -> Any:
    """The key that signs, or that checks; BertlineError for a file that does not hold one of this kind."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    content = path.read_bytes() if path.is_file() else None
    if content is None:
        raise BertlineError(f"{path}: no such key file; {_HOW}")
    if not private and b"PRIVATE KEY-----" in content:
        raise BertlineError(
            f"{path}: is a private key, which stays with its owner; give the public one (openssl pkey -pubout)"
        )
    if private and b"PUBLIC KEY-----" in content:
        raise BertlineError(f"{path}: is a public key, which only checks; sign with the private one")
    try:
        key: Any = (
            serialization.load_pem_private_key(content, None) if private else serialization.load_pem_public_key(content)
        )
    except TypeError:
        raise BertlineError(
            f"{path}: is encrypted; sign with a plain copy (openssl pkey -in {path} -out PLAIN.pem), and remove it then"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BertlineError(f"{path}: is no {'private' if private else 'public'} key in PEM; {_HOW}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        kind = getattr(getattr(key, "curve", None), "name", type(key).__name__.strip("_"))
        raise BertlineError(f"{path}: is a key of another kind ({kind}) than EC P-256; {_HOW}")
    return key
