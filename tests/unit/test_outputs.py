import os

import duckdb
import pytest

from mall_segments.outputs import (
    MARK,
    PAGE_MARK,
    NotOursError,
    SamePlaceError,
    is_ours,
    mark_of_table,
    require_room,
    require_unread,
)

SCORED = mark_of_table(["customer_id", "segment_key"])


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("customer_id,segment_key\n1,S1\n", SCORED, True),
        ("customer_id,segment_key,mail\n1,S1,a@b\n", SCORED, False),
        ("id,customer_id,segment_key\n1,1,S1\n", SCORED, False),
        ("", SCORED, False),
        (f'<!doctype html>\n<head>{PAGE_MARK}0.1.0">', PAGE_MARK, True),
        ('<!doctype html>\n<meta name="generator" content="Hugo">mall-segments', PAGE_MARK, False),
        ("x" * 200_000 + MARK, MARK, True),
        ("x" * 200_000, MARK, False),
    ],
)
def test_a_file_of_ours_is_told_by_its_mark(tmp_path, text, mark, expected):
    path = tmp_path / "file"
    path.write_text(text)
    assert is_ours(path, mark) is expected
    if expected:
        require_room(path, mark)
    else:
        with pytest.raises(NotOursError, match="mall-segments did not write it"):
            require_room(path, mark)


def test_there_is_room_where_nothing_is_and_none_where_a_folder_is(tmp_path):
    require_room(tmp_path / "new.csv", MARK)
    (tmp_path / "broken").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "broken"):
        with pytest.raises(NotOursError):
            require_room(path, MARK)


def test_what_is_read_is_found_behind_links_and_other_spellings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "mine.csv"
    source.write_text("id\n")
    (tmp_path / "link.csv").symlink_to(source)
    os.link(source, tmp_path / "hard.csv")
    for name in ("mine.csv", "./mine.csv", "link.csv", "hard.csv", f"../{tmp_path.name}/mine.csv"):
        with pytest.raises(SamePlaceError) as caught:
            require_unread(tmp_path / name, [source])
        assert (caught.value.code, caught.value.exit_code) == ("SAME_PLACE", 2)
    require_unread(tmp_path / "other.csv", [source])


def test_duckdb_keeps_the_mark_of_a_large_parquet_file_near_its_end(tmp_path):
    path = tmp_path / "large.parquet"
    duckdb.sql(
        "copy (select range as i, hash(range) as h from range(300_000)) to"
        f" '{path}' (format parquet, row_group_size 2048, kv_metadata {{generator: '{MARK}'}})"
    )
    assert path.stat().st_size > 1 << 20
    assert is_ours(path, MARK)
