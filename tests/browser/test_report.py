"""Reports in a real browser: offline, accessible, on a phone and on paper."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from neuroemu.hardware.load import load_experiment, load_target
from neuroemu.report.html.find import page_of
from neuroemu.report.html.render import write_page
from neuroemu.report.study import write_figures
from neuroemu.study.run import run_study
from tests.browser.chromium import launch
from tests.report.cases import SHORT
from tests.report.html.runs import run
from tests.study.small import small_space

FIGURES = {"run": 1, "summary": 1, "study": 3}
PAGES = tuple(FIGURES)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("runs")
    all_of_them = run(out, "generic4", "generic16")
    write_figures(run_study(small_space(out, predict=True), out / "study"), out / "study")
    return {
        "run": write_page(page_of(out / "generic4"), out / "run.html"),
        "summary": write_page(page_of(all_of_them), out / "summary.html"),
        "study": write_page(page_of(out / "study"), out / "study.html"),
    }


@contextmanager
def opened(browser: Browser, report: Path, **how: object) -> Iterator[Page]:
    """Open a report in a profile of its own; whatever it complains of or asks for is a failure."""
    context = browser.new_context(**how)  # type: ignore[arg-type]
    page = context.new_page()
    found: list[str] = []
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("request", lambda request: found.append(f"request: {request.url[:100]}"))
    page.goto(report.as_uri())
    yield page
    context.close()
    asked = f"request: {report.as_uri()}"
    assert [f for f in found if f != asked and not f.startswith("request: data:")] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_loads_nothing(
    name: str, browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    with opened(browser, reports[name], offline=True) as page:
        widths = page.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
        assert len(widths) == FIGURES[name] and min(widths) > 0
        assert page.locator(".verdict").first.is_visible()
        levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(h => h.tagName)")
        assert levels[0] == "H1" and set(levels[1:]) == {"H2"}
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation_in_light_and_dark(
    name: str, browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    options = {"runOnly": {"type": "tag", "values": WCAG}}
    with opened(browser, reports[name]) as page:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = Axe().run(page, options=options)
            page.screenshot(path=tmp_path / f"{name}-{scheme}.png")
            assert found.violations_count == 0, found.generate_report()
            assert len(found.response["passes"]) > 20


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_only_tables_scroll(
    name: str, browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    with opened(browser, reports[name], viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        wide = page.locator(".scroll").evaluate_all(
            "all => all.filter(s => s.scrollWidth > s.clientWidth).length"
        )
        assert wide > 0
        page.screenshot(path=tmp_path / f"{name}-phone.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_it_prints_on_a4(
    name: str, browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    with opened(browser, reports[name], color_scheme="dark") as page:
        printed = page.pdf(path=tmp_path / f"{name}.pdf", prefer_css_page_size=True)
        page.emulate_media(media="print")
        assert page.locator("nav").is_hidden()
        paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
    assert printed.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed


def test_the_files_of_a_page_are_the_configurations_that_ran(
    browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    with opened(browser, reports["run"], accept_downloads=True) as page:
        for link in page.locator("a[download]").all():
            with page.expect_download() as waiting:
                link.click()
            waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    assert load_target(tmp_path / "generic4.toml") == load_target("generic4")
    saved = load_experiment(tmp_path / "spike_based_homeostasis.toml")
    wanted = load_experiment("spike_based_homeostasis", SHORT)
    assert json.loads(saved.model_dump_json()) == json.loads(wanted.model_dump_json())
