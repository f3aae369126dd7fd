"""The browser of the tests itself: it finds Chromium or says what to do, and sees what goes wrong."""

from __future__ import annotations

import pytest

from browser import COMMAND, Watch, find_chromium


def test_no_chromium_names_the_command(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(pytest.fail.Exception, match=COMMAND):
        find_chromium()


def test_chromium_can_be_named(monkeypatch, tmp_path):
    mine = tmp_path / "mine"
    mine.touch()
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert find_chromium() == str(mine)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "gone"))
    assert find_chromium() != str(tmp_path / "gone")


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('told')", "told"),
        ("setTimeout(() => { throw new Error('thrown'); })", "thrown"),
        ("fetch('http://127.0.0.1:9/x').catch(() => null)", "asked for http://127.0.0.1:9/x"),
    ],
)
def test_what_goes_wrong_on_a_page_is_seen(chromium, tmp_path, script, complaint):
    file = tmp_path / "page.html"
    file.write_text(f"<title>x</title><script>{script}</script>", encoding="utf-8")
    watch, context = Watch(), chromium.new_context()
    watch.over(context)
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_timeout(200)
    context.close()
    assert any(complaint in line for line in watch.complaints)


def test_a_clean_page_gives_no_complaint(open_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("<title>x</title><script>console.log('fine')</script>", encoding="utf-8")
    assert open_page(file).title() == "x"
