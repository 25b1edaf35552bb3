"""A name holds a whole file or folder, or what it held before."""

import os
from pathlib import Path

import pytest

from bertline.errors import BertlineError
from bertline.files import check_output_file, partial_of, sha256_of, whole_file, whole_folder, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as stream:
        stream.write(b"content")
        assert names(tmp_path) == ["a.partial"]
    assert names(tmp_path) == ["a"]
    assert sha256_of(tmp_path / "a") == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    write_whole(tmp_path / "a", "before")
    with pytest.raises(error), whole_file(tmp_path / "a", force=True) as stream:
        stream.write(b"half")
        raise error
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_a_file_can_be_finished_by_another_in_its_place(tmp_path: Path) -> None:
    def double(partial: Path) -> None:
        (tmp_path / "beside").write_bytes(partial.read_bytes() * 2)
        (tmp_path / "beside").replace(partial)

    def fail(partial: Path) -> None:
        double(partial)
        raise ValueError

    with whole_file(tmp_path / "a", finish=double) as stream:
        stream.write(b"ab")
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"abab"
    with pytest.raises(ValueError), whole_file(tmp_path / "b", finish=fail) as stream:
        stream.write(b"ab")
    assert names(tmp_path) == ["a"]


def test_taken_names_are_refused_unless_forced(tmp_path: Path) -> None:
    taken, unfinished = tmp_path / "taken", tmp_path / "unfinished"
    taken.touch()
    partial_of(unfinished).touch()
    dangling = tmp_path / "dangling"
    dangling.symlink_to("nowhere")
    for path, message in ((taken, "the file exists"), (unfinished, "left by an unfinished run"), (dangling, "exists")):
        with pytest.raises(BertlineError, match=f"{message}.*--force"), whole_file(path):
            pass
        with whole_file(path, force=True) as stream:
            stream.write(b"new")
        assert path.read_bytes() == b"new"


def test_folders_devices_and_missing_folders_are_refused_even_when_forced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "pipe", "is a device or a pipe, which is not replaced"),
        (Path("/dev/null"), "is a device or a pipe, which is not replaced"),
        (tmp_path / "no" / "a", "does not exist; create it with mkdir -p"),
    ):
        with pytest.raises(BertlineError, match=message), whole_file(path, force=True):
            pass
    assert names(tmp_path) == ["pipe"]
    assert Path("/dev/null").is_char_device()


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    source, link = tmp_path / "a", tmp_path / "link"
    source.touch()
    link.symlink_to(source)
    (tmp_path / "b.partial").hardlink_to(source)
    for output in (source, link, tmp_path / "b"):
        with pytest.raises(BertlineError, match="is an input as well"):
            check_output_file(output, force=True, inputs=[source])
    check_output_file(tmp_path / "c", inputs=[source, tmp_path / "missing"])


def test_two_runs_at_once_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with whole_file(path) as first:
        first.write(b"first")
        with pytest.raises(BertlineError, match="one still going"), whole_file(path):
            pass
    assert path.read_bytes() == b"first"

    with pytest.raises(BertlineError, match="another run with --force"), whole_file(path, force=True) as slow:
        slow.write(b"slow")
        with whole_file(path, force=True) as fast:
            fast.write(b"fast")
    assert path.read_bytes() == b"fast"
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_when_it_is_whole_and_replaces_when_forced(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with whole_folder(tmp_path / "a", force=content == "new") as folder:
            (folder / content).touch()
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["new"]
    with pytest.raises(BertlineError, match="not empty"), whole_folder(tmp_path / "a"):
        pass
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "a", force=True) as folder:
        (folder / "half").touch()
        raise KeyboardInterrupt
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["new"]
