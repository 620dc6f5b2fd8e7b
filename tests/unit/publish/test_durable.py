import fcntl

import pytest

from mall_segments.publish.durable import (
    clone_file,
    empty_folder,
    remove_folder,
    replace_file,
    write_text,
)


@pytest.mark.parametrize("shares_blocks", [True, False])
def test_a_clone_is_a_copy_of_its_own(tmp_path, monkeypatch, shares_blocks):
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(bytes(range(256)) * 40_000)
    if not shares_blocks:
        monkeypatch.setattr(fcntl, "ioctl", refuse)
    clone_file(source, copy)
    assert copy.read_bytes() == source.read_bytes()
    copy.write_bytes(b"changed")
    assert source.stat().st_size == 256 * 40_000


def refuse(*_arguments):
    raise OSError


def test_a_clone_replaces_nothing(tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_text("new")
    copy.write_text("old")
    with pytest.raises(FileExistsError):
        clone_file(source, copy)
    assert copy.read_text() == "old"


def test_a_replaced_file_is_another_file_under_the_same_name(tmp_path):
    old, new = tmp_path / "file", tmp_path / "new"
    old.write_text("old")
    new.write_text("new")
    with old.open() as reader:
        replace_file(new, old)
        assert reader.read() == "old"
    assert old.read_text() == "new"
    assert not new.exists()


def test_text_is_written_in_one_step(tmp_path):
    write_text(tmp_path / "note.json", "one")
    write_text(tmp_path / "note.json", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]
    assert (tmp_path / "note.json").read_text() == "two"


def test_folders_are_emptied_and_removed(tmp_path):
    folder = tmp_path / "a" / "b"
    assert list(empty_folder(folder).iterdir()) == []
    (folder / "file").touch()
    assert list(empty_folder(folder).iterdir()) == []
    remove_folder(folder)
    remove_folder(folder)
    assert not folder.exists()
