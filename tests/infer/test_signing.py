"""A signed bundle is checked file by file; every way to tamper with it, and every wrong key, is refused by name."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from bertline.bundle import MANIFEST, Bundle, FileEntry
from bertline.errors import BertlineError, VerificationError
from infer.signing import SIGNATURE, check_signature, sign
from tests.conftest import Cli, Once

PEM, PLAIN = serialization.Encoding.PEM, serialization.NoEncryption()


def write_keys(folder: Path, name: str = "key", kind: object = None) -> tuple[Path, Path]:
    """The files of a new private key and its public half."""
    private, public = folder / f"{name}.pem", folder / f"{name}.public.pem"
    key = kind or ec.generate_private_key(ec.SECP256R1())
    private.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN))  # type: ignore[attr-defined]
    public.write_bytes(
        key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    )
    return private, public


@pytest.fixture(scope="session")
def keys(once: Once) -> tuple[Path, Path]:
    def write(folder: Path) -> None:
        folder.mkdir()
        write_keys(folder)

    folder = once("keys", write)
    return folder / "key.pem", folder / "key.public.pem"


@pytest.fixture
def signed(bundle: Path, keys: tuple[Path, Path], tmp_path: Path) -> Path:
    """A signed copy of the tiny bundle."""
    copy = Path(shutil.copytree(bundle, tmp_path / "signed"))
    sign(copy, keys[0])
    return copy


def test_a_signed_bundle_is_checked_first_and_works_as_before(
    signed: Path, keys: tuple[Path, Path], table: Path, tmp_path: Path, cli: Cli
) -> None:
    outcome = cli("verify", signed, "--public-key", keys[1])
    assert outcome.code == 0 and outcome.out.count("ok ") == 5
    assert outcome.out.startswith(
        f"ok      signature  {len(Bundle.open(signed).manifest.files) + 1} files are as the owner"
    )
    assert cli("verify", signed).code == 0
    assert cli("infer", signed, table, "-o", tmp_path / "out.tsv").code == 0
    assert json.loads(cli("info", signed, "--json").out)["signature"].startswith(SIGNATURE)


def test_an_unsigned_bundle_says_so(bundle: Path, keys: tuple[Path, Path], cli: Cli) -> None:
    assert json.loads(cli("info", bundle, "--json").out)["signature"] == "none"
    outcome = cli("verify", bundle, "--public-key", keys[1])
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1)
    assert f"has no {SIGNATURE}, so nobody signed it" in outcome.err


def test_other_tools_for_model_signatures_agree(signed: Path, keys: tuple[Path, Path]) -> None:
    from model_signing.verifying import Config

    Config().use_elliptic_key_verifier(public_key=keys[1]).verify(signed, signed / SIGNATURE)
    with (signed / "config.json").open("a") as stream:
        stream.write(" ")
    with pytest.raises(ValueError, match=r"config\.json"):
        Config().use_elliptic_key_verifier(public_key=keys[1]).verify(signed, signed / SIGNATURE)


def flip(path: Path, place: int = 100) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def add(bundle: Path, name: str, content: str = "") -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text(content)


def replace_with_hash(bundle: Path) -> None:
    """Another file, by someone who can compute a hash: the bundle agrees with itself."""
    flip(bundle / "tokenizer_config.json")
    document = json.loads((bundle / MANIFEST).read_text())
    entry = FileEntry.of(bundle / "tokenizer_config.json")
    document["files"]["tokenizer_config.json"] = {"sha256": entry.sha256, "bytes": entry.bytes}
    (bundle / MANIFEST).write_text(json.dumps(document))
    Bundle.open(bundle).verify()


def replace_by_link(bundle: Path) -> None:
    (bundle / "config.json").rename(bundle.parent / "config.json")
    (bundle / "config.json").symlink_to(bundle.parent / "config.json")


def edit_signature(bundle: Path, edit: Callable[[dict[str, object]], object]) -> None:
    document = json.loads((bundle / SIGNATURE).read_text())
    edit(document)
    (bundle / SIGNATURE).write_text(json.dumps(document))


def edit_statement(bundle: Path, edit: Callable[[dict[str, dict[str, object]]], object]) -> None:
    def edit_document(document: dict[str, dict[str, object]]) -> None:
        statement = json.loads(base64.b64decode(str(document["dsseEnvelope"]["payload"])))
        edit(statement)
        document["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()

    edit_signature(bundle, edit_document)  # type: ignore[arg-type]


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped byte": (lambda b: flip(b / "onnx/model.onnx"), "onnx/model.onnx has changed"),
    "flipped byte of the manifest": (lambda b: flip(b / MANIFEST, 1), f"{MANIFEST} has changed"),
    "changed with its hash": (
        replace_with_hash,
        f"{MANIFEST} has changed (its sha256 is not the one signed); tokenizer_",
    ),
    "no manifest": (lambda b: (b / MANIFEST).unlink(), f"{MANIFEST} is missing"),
    "extra file": (lambda b: add(b, "onnx/more.onnx"), "onnx/more.onnx is extra (not signed)"),
    "extra hidden file": (lambda b: add(b, ".git/config"), ".git/config is extra (not signed)"),
    "missing file": (lambda b: (b / "golden.jsonl").unlink(), "golden.jsonl is missing"),
    "renamed file": (
        lambda b: (b / "config.json").rename(b / "conf.json"),
        "config.json is named conf.json; take the bundle from its source again",
    ),
    "link": (replace_by_link, "config.json is a link"),
    "link to a folder": (lambda b: (b / "more").symlink_to(b / "onnx"), "more is a link"),
    "pipe": (lambda b: os.mkfifo(b / "pipe"), "pipe is neither file nor folder"),
    "empty signature": (lambda b: (b / SIGNATURE).write_bytes(b""), f"{SIGNATURE}: is no model signature"),
    "signature not JSON": (lambda b: (b / SIGNATURE).write_bytes(b"\xff{"), f"{SIGNATURE}: is no model signature"),
    "signature a list": (lambda b: (b / SIGNATURE).write_text("[]"), f"{SIGNATURE}: is no model signature"),
    "signature without a signature": (
        lambda b: edit_signature(b, lambda d: d["dsseEnvelope"].update(signatures=[])),  # type: ignore[attr-defined]
        f"{SIGNATURE}: is no model signature",
    ),
    "signature of another kind": (
        lambda b: edit_signature(b, lambda d: d.update(mediaType="text/plain")),
        f"{SIGNATURE}: is no model signature",
    ),
    "other digests in the signature": (
        lambda b: edit_statement(b, lambda s: s["predicate"]["resources"][0].update(digest="0" * 64)),  # type: ignore[index]
        f"{SIGNATURE}: the signature is not that of its contents",
    ),
    "more left out by the signature": (
        lambda b: edit_statement(b, lambda s: s["predicate"]["serialization"].update(ignore_paths=["onnx"])),  # type: ignore[attr-defined]
        f"{SIGNATURE}: the signature is not that of its contents",
    ),
    "no signature": (lambda b: (b / SIGNATURE).unlink(), f"has no {SIGNATURE}"),
    "signature a folder": (
        lambda b: ((b / SIGNATURE).unlink(), (b / SIGNATURE).mkdir()),
        f"has no {SIGNATURE}",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_refused_by_name(signed: Path, keys: tuple[Path, Path], cli: Cli, fault: str) -> None:
    tamper, message = FAULTS[fault]
    tamper(signed)
    outcome = cli("verify", signed, "--public-key", keys[1])
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (3, "", 1), outcome.err
    assert message in outcome.err and outcome.err.startswith("bertline: ")


def test_many_faults_are_counted(signed: Path, keys: tuple[Path, Path]) -> None:
    for number in range(9):
        add(signed, f"node_modules/{number}.js")
    with pytest.raises(VerificationError, match=r"node_modules/4\.js is extra \(not signed\); and 4 more; take"):
        check_signature(signed, keys[1])


def test_another_signer_is_told_from_a_false_signature(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    _, other = write_keys(tmp_path, "other")
    with pytest.raises(VerificationError, match=r"was signed with another key \(.{12}\) than .*other.public.pem \("):
        check_signature(signed, other)
    ours = json.loads((signed / SIGNATURE).read_text())["verificationMaterial"]
    sign(signed, tmp_path / "other.pem", force=True)
    edit_signature(signed, lambda document: document.update(verificationMaterial=ours))
    with pytest.raises(VerificationError, match="the signature is not that of its contents"):
        check_signature(signed, keys[1])


def test_what_a_signer_left_out_is_extra(bundle: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """A true signature, made by another tool, that does not speak of the graph."""
    from model_signing.hashing import Config as Hashing
    from model_signing.signing import Config

    copy = Path(shutil.copytree(bundle, tmp_path / "partly"))
    leaving = Hashing().set_ignored_paths(paths=["onnx", SIGNATURE])
    Config().set_hashing_config(leaving).use_elliptic_key_signer(private_key=keys[0]).sign(copy, copy / SIGNATURE)
    with pytest.raises(VerificationError, match=r"onnx/model\.onnx is extra \(not signed\)"):
        check_signature(copy, keys[1])


def test_a_link_to_the_bundle_itself_is_followed(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(signed)
    assert check_signature(tmp_path / "latest", keys[1]) == check_signature(signed, keys[1])


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda b: flip(b / "onnx/model.onnx"), 3, "onnx/model.onnx has changed (its sha256 is not the one listed in"),
        (lambda b: (b / "golden.jsonl").unlink(), 3, "golden.jsonl is missing"),
        (
            lambda b: add(b, "notes.txt"),
            3,
            f"notes.txt is extra (not listed in {MANIFEST}); export it again, or take out",
        ),
        (lambda b: add(b, f"{SIGNATURE}.partial"), 3, f"{SIGNATURE}.partial is extra"),
        (replace_by_link, 1, "config.json' leaves the bundle"),
        (lambda b: (b / "more").symlink_to(b / "onnx"), 3, "more is a link; copy the files themselves"),
        (lambda b: (b / MANIFEST).unlink(), 1, f"has no {MANIFEST}, so it is no bundle or an unfinished one"),
        (shutil.rmtree, 1, "no such bundle folder"),
    ],
)
def test_only_a_sound_and_finished_bundle_is_signed(
    bundle: Path,
    keys: tuple[Path, Path],
    tmp_path: Path,
    cli: Cli,
    change: Callable[[Path], object],
    code: int,
    message: str,
) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))
    change(copy)
    outcome = cli("sign", copy, "--key", keys[0])
    assert (outcome.code, outcome.err.count("\n")) == (code, 1) and message in outcome.err
    assert not (copy / SIGNATURE).exists()


def test_a_signature_is_replaced_by_force_only(signed: Path, keys: tuple[Path, Path], cli: Cli) -> None:
    before = (signed / SIGNATURE).read_bytes()
    outcome = cli("sign", signed, "--key", keys[0])
    assert outcome.code == 1 and "is signed already; --force to replace the signature" in outcome.err
    assert (signed / SIGNATURE).read_bytes() == before
    outcome = cli("sign", signed, "--key", keys[0], "--force")
    assert outcome.code == 0 and outcome.err == f"wrote {signed / SIGNATURE}\n"
    assert (signed / SIGNATURE).read_bytes() != before, "no two ECDSA signatures are alike"
    assert cli("verify", signed, "--public-key", keys[1]).code == 0


def test_no_part_of_a_signature_is_left(
    bundle: Path, keys: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))

    def full(stream: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bertline.files.os.fsync", full)
    with pytest.raises(BertlineError, match="nothing was written"):
        sign(copy, keys[0])
    assert not list(copy.glob(f"{SIGNATURE}*"))


def test_keys_of_other_kinds_are_refused_with_the_way_to_make_one(
    signed: Path, bundle: Path, tmp_path: Path, keys: tuple[Path, Path], cli: Cli
) -> None:
    ed_private, ed_public = write_keys(tmp_path, "ed", ed25519.Ed25519PrivateKey.generate())
    rsa_private, rsa_public = write_keys(tmp_path, "rsa", rsa.generate_private_key(65537, 2048))
    k1_private, k1_public = write_keys(tmp_path, "k1", ec.generate_private_key(ec.SECP256K1()))
    locked, text = tmp_path / "locked.pem", tmp_path / "text.pem"
    secret = serialization.BestAvailableEncryption(b"secret")
    key = serialization.load_pem_private_key(keys[0].read_bytes(), None)
    locked.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, secret))
    text.write_bytes(b"\xffno key")
    nowhere, make = tmp_path / "nowhere.pem", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    for private, message in (
        (ed_private, f"is a key of another kind (Ed25519PrivateKey) than EC P-256; make one with {make}"),
        (rsa_private, "is a key of another kind (RSAPrivateKey) than EC P-256"),
        (k1_private, "is a key of another kind (secp256k1) than EC P-256"),
        (locked, "is encrypted; sign with a plain copy (openssl pkey -in"),
        (text, f"is no private key in PEM; make one with {make}"),
        (keys[1], "is a public key, which only checks; sign with the private one"),
        (nowhere, f"no such key file; make one with {make}"),
        (tmp_path, "no such key file"),
    ):
        outcome = cli("sign", bundle, "--key", private)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1) and f"{private}: {message}" in outcome.err, outcome.err
    for public, message in (
        (ed_public, "is a key of another kind (Ed25519PublicKey) than EC P-256"),
        (rsa_public, "is a key of another kind (RSAPublicKey) than EC P-256"),
        (k1_public, "is a key of another kind (secp256k1) than EC P-256"),
        (text, "is no public key in PEM"),
        (keys[0], "is a private key, which stays with its owner; give the public one"),
        (locked, "is a private key, which stays with its owner"),
        (nowhere, "no such key file"),
    ):
        outcome = cli("verify", signed, "--public-key", public)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1) and f"{public}: {message}" in outcome.err, outcome.err
    assert not (bundle / SIGNATURE).exists()
    assert cli("sign", bundle).code == 2
    missing = cli("verify", tmp_path / "nowhere", "--public-key", keys[1])
    assert missing.code == 1 and "no such bundle folder" in missing.err


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_larger_curves_sign_as_well(bundle: Path, tmp_path: Path, curve: ec.EllipticCurve) -> None:
    private, public = write_keys(tmp_path, "large", ec.generate_private_key(curve))
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))
    sign(copy, private)
    assert check_signature(copy, public) == len(Bundle.open(copy).manifest.files) + 1


def test_what_signs_is_named_where_it_is_not_installed(
    bundle: Path, keys: tuple[Path, Path], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "model_signing.signing", None)
    outcome = cli("sign", bundle, "--key", keys[0])
    assert outcome.code == 1 and "pip install 'bertline[sign]'" in outcome.err
