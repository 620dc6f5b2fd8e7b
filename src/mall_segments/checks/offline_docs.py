"""Data Docs that open without a network."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path

from mall_segments.errors import MallSegmentsError

OFFLINE = Path("static") / "offline"
# What Great Expectations writes, and we add to.
PARTS = {"index.html", "static", "expectations", "validations"}
ASSETS = Path(__file__).with_name("assets")
EXTERNAL_TAG = re.compile(
    r"<(?P<tag>script|link|img)\b[^>]*?\b(?:src|href)=\"(?:https?:)?//(?P<url>[^\"]+)\"[^>]*>"
    r"(?P<close>\s*</script>)?"
)
EXTERNAL_STYLE_URL = re.compile(r"url\(['\"]?(?:https?:)?//[^)]*\)")
# Some pages count the folders between them and the site's own files wrongly.
STATIC_PATH = re.compile(r"(?<=[\"'(])(?:\.{1,2}/)+static/")
LOCAL_NAME = {"all.min.css": "fontawesome/css/all.min.css"}


class NotOurSiteError(MallSegmentsError):
    """A folder that holds something else than what would replace it."""

    def __init__(self, site: Path, expected: str = "Data Docs", option: str = "--site") -> None:
        super().__init__(
            "NOT_OUR_SITE",
            f"{site} holds files that are no {expected}, and would be replaced.",
            f"Name an empty or a new folder: {option}.",
        )


def require_own_site(site: Path) -> None:
    """Refuse to replace anything but an earlier site.

    Raises
    ------
    NotOurSiteError
        If the folder holds anything that is no Data Docs of ours.
    """
    others = {path.name for path in site.iterdir()} if site.is_dir() else {site.name}
    if site.exists() and others - (PARTS if (site / OFFLINE).is_dir() else set()):
        raise NotOurSiteError(site)


def make_offline(site: Path) -> None:
    """Replace what the pages of a Data Docs site load from elsewhere by local copies.

    Scripts and styles that come with this package are copied into the site; images and styles that
    do not are dropped, because a page that waits for a network is worse than one without a logo.

    Parameters
    ----------
    site : Path
        Folder of the site; its pages are rewritten in place.
    """
    assets = site / OFFLINE
    shutil.copytree(ASSETS, assets, dirs_exist_ok=True)
    for page in site.rglob("*.html"):
        local_tag = partial(_local_tag, prefix=os.path.relpath(assets, page.parent))
        text = EXTERNAL_TAG.sub(local_tag, page.read_text(encoding="utf-8"))
        text = EXTERNAL_STYLE_URL.sub("none", text)
        text = STATIC_PATH.sub(f"{os.path.relpath(site / 'static', page.parent)}/", text)
        page.write_text(text, encoding="utf-8")


def _local_tag(match: re.Match[str], prefix: str) -> str:
    name = _file_name(match["url"], "css" if match["tag"] == "link" else "js")
    local = LOCAL_NAME.get(name, name)
    if not (ASSETS / local).is_file():
        return ""
    if match["tag"] == "script":
        return f'<script src="{prefix}/{local}"></script>'
    return f'<link rel="stylesheet" href="{prefix}/{local}">'


def _file_name(url: str, kind: str) -> str:
    """Return the name of the file that an address stands for, without its version.

    >>> _file_name("cdn.example/npm/vega@5", "js")
    'vega.min.js'
    >>> _file_name("cdn.example/jquery-3.7.1.min.js", "js")
    'jquery.min.js'
    """
    last = url.split("?")[0].rsplit("/", 1)[-1]
    without_version = re.sub(r"(@[\d.]+$|-\d[\d.]*\d(?=\.))", "", last)
    return without_version if "." in without_version else f"{without_version}.min.{kind}"
