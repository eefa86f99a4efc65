"""Looks at pages in headless Chromium: one function a test, named as in main.rs.

    look.py TEST FOLDER AXE

Exits with 0 where the pages in FOLDER are as the test says. Figures are printed, never judged.
"""

import base64
import json
import os
import pathlib
import shutil
import sys
import tempfile
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service

PHONE = 360


@contextmanager
def browser(width=1280, height=900, dark=False, script=True):
    """Starts a browser of that size, and ends it."""
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        for word in ["--headless=new", "--disable-gpu", f"--user-data-dir={profile}", "--lang=en"]:
            options.add_argument(word)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.set_page_load_timeout(120)
            driver.set_script_timeout(120)
            # The smallest window is wider than a phone; its emulation is not.
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
            yield driver
        finally:
            driver.quit()


def pages(folder):
    found = sorted(folder.glob("*.html"))
    assert found, f"no page in {folder}"
    return found


def address(page, hash=""):
    return page.as_uri() + (f"#{hash}" if hash else "")


def unfold(driver):
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def frames(driver):
    """Waits until what was done is seen."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))")


def visible(driver):
    return driver.execute_script(
        "return [...document.querySelectorAll('.check')].filter(e => e.checkVisibility())"
        ".map(e => e.querySelector('.id').textContent)")


def total(driver):
    return driver.execute_script("return document.querySelectorAll('.check').length")


def complaints(driver):
    """Returns what the console says, and every request that a page made."""
    said = [entry["message"] for entry in driver.get_log("browser")]
    asked = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            # Of the browser's own first page, nobody asked.
            if not message["params"]["documentURL"].startswith("chrome:"):
                asked.append(message["params"]["request"]["url"])
    return said, asked


def every_page_opens_without_an_error_and_asks_nobody(folder, axe):
    with browser() as driver:
        for page in pages(folder):
            driver.get(address(page))
            unfold(driver)
            frames(driver)
            said, asked = complaints(driver)
            assert not said, f"{page.name}: {said}"
            assert asked == [address(page)], f"{page.name}: {asked}"
            assert driver.title.endswith("verify") and len(driver.title) > 10, driver.title


def a_small_and_a_large_screen_never_scroll_sideways(folder, axe):
    for width in [PHONE, 768, 1280, 2560]:
        with browser(width=width) as driver:
            for page in pages(folder):
                driver.get(address(page))
                for opened in [False, True]:
                    if opened:
                        unfold(driver)
                    frames(driver)
                    wide, room = driver.execute_script(
                        "return [document.documentElement.scrollWidth, innerWidth]")
                    culprits = driver.execute_script(
                        "return [...document.querySelectorAll('main *')].filter(e => "
                        "e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)"
                        ".map(e => e.outerHTML.slice(0, 160))") if wide > room else []
                    assert wide <= room, f"{page.name} at {width}: {wide} > {room}: {culprits}"


def axe_finds_nothing_serious_in_light_and_in_dark(folder, axe):
    source = pathlib.Path(axe).read_text()
    for dark, width in [(False, 1280), (True, 1280), (False, PHONE)]:
        with browser(dark=dark, width=width) as driver:
            for page in pages(folder):
                driver.get(address(page))
                unfold(driver)
                driver.execute_script(source)
                found = driver.execute_async_script(
                    "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']})"
                    ".then(r => done(r.violations), e => done([{impact: 'critical', id: String(e), nodes: []}]))")
                grave = [
                    (v["id"], v["impact"], [n["html"][:160] for n in v["nodes"][:3]])
                    for v in found if v["impact"] in ("serious", "critical")]
                assert not grave, f"{page.name}, dark {dark}, {width} px: {grave}"


def a_page_is_dark_where_people_want_it_dark(folder, axe):
    shade = ("const n = s => s.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0);"
             "const s = getComputedStyle(document.body);"
             "return [n(s.backgroundColor), n(s.color)]")
    for dark in [False, True]:
        with browser(dark=dark) as driver:
            driver.get(address(folder / "every-outcome.html"))
            paper, ink = driver.execute_script(shade)
            assert (paper < ink) == dark, f"dark {dark}: paper {paper}, ink {ink}"


def on_paper_every_check_is_unfolded_and_no_control_is_shown(folder, axe):
    for script in [True, False]:
        with browser(script=script) as driver:
            driver.get(address(folder / "every-outcome.html"))
            pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
            assert pdf.startswith(b"%PDF") and len(pdf) > 20_000, len(pdf)
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
            seen = driver.execute_script(
                "return ['.filter', '.next button', 'nav'].filter(s => "
                "[...document.querySelectorAll(s)].some(e => e.checkVisibility()))")
            assert not seen, seen
            if script:
                driver.execute_script("dispatchEvent(new Event('beforeprint'))")
                folded = driver.execute_script(
                    "return document.querySelectorAll('.check details:not([open])').length")
                assert folded == 0, folded
                driver.execute_script("dispatchEvent(new Event('afterprint'))")
                opened = driver.execute_script(
                    "return document.querySelectorAll('.check details[open]').length")
                assert opened == 0, opened
            hidden = driver.execute_script(
                "return [...document.querySelectorAll('.check .readings')].filter(e => "
                "!e.getBoundingClientRect().height).length")
            assert hidden == 0, hidden


def checks_are_found_by_words_outcome_node_and_suite(folder, axe):
    with browser() as driver:
        driver.get(address(folder / "every-outcome.html"))
        all_of_them = total(driver)
        assert len(visible(driver)) == all_of_them > 10
        search = driver.find_element(By.ID, "query")
        search.send_keys("THROUGHPUT gbit")
        frames(driver)
        assert visible(driver) == ["net/throughput"], visible(driver)
        shown = driver.find_element(By.ID, "shown")
        assert shown.text == f"1 of {all_of_them} checks are shown.", shown.text
        assert shown.get_attribute("aria-live") == "polite"
        search.clear()
        search.send_keys("nothing is called like this")
        frames(driver)
        assert visible(driver) == []
        search.send_keys(Keys.ESCAPE)
        frames(driver)
        assert len(visible(driver)) == all_of_them
        for outcome in ["pass", "fail", "error", "skip", "unjudged", "blocked"]:
            chip = driver.find_element(By.CSS_SELECTOR, f"button[data-outcome={outcome}]")
            number = int(chip.find_element(By.CLASS_NAME, "number").text)
            chip.click()
            frames(driver)
            assert len(visible(driver)) == number > 0, f"{outcome}: {visible(driver)}"
            assert chip.get_attribute("aria-pressed") == "true"
            chip.click()
            frames(driver)
        assert len(visible(driver)) == all_of_them
        suite = driver.find_element(By.ID, "suite")
        suite.send_keys("latency")
        frames(driver)
        assert {id.split("/")[0] for id in visible(driver)} == {"lat"}, visible(driver)
        driver.get(address(folder / "many-nodes.html"))
        driver.find_element(By.ID, "node").send_keys("macmini")
        frames(driver)
        assert visible(driver) == ["gpu/driver"], visible(driver)
        assert len(driver.execute_script(
            "return [...document.querySelectorAll('.node')].filter(e => e.checkVisibility())")) == 1


def what_is_filtered_can_be_linked(folder, axe):
    page = folder / "every-outcome.html"
    with browser() as driver:
        driver.get(address(page))
        driver.find_element(By.ID, "query").send_keys("gpu")
        driver.find_element(By.CSS_SELECTOR, "button[data-outcome=blocked]").click()
        frames(driver)
        found, link = visible(driver), driver.current_url
        assert found and link.endswith("#q=gpu&show=blocked"), link
        driver.get("about:blank")
        driver.get(link)
        frames(driver)
        assert visible(driver) == found, visible(driver)
        # A count at the top is such a link, and a check has one of its own that unfolds it.
        driver.find_element(By.CSS_SELECTOR, "a.count[href='#show=fail']").click()
        frames(driver)
        assert "gpu/count" in visible(driver) and "gpu/driver" not in visible(driver)
        driver.execute_script("location.hash = 'check-nvidia-gpu-driver'")
        driver.execute_async_script("setTimeout(arguments[0], 100)")
        opened = driver.execute_script(
            "const e = document.getElementById('check-nvidia-gpu-driver');"
            "return e.checkVisibility() && e.querySelector('details').open")
        assert opened


def the_keyboard_is_enough(folder, axe):
    with browser() as driver:
        driver.get(address(folder / "every-outcome.html"))
        focused = lambda: driver.switch_to.active_element
        press = lambda *keys: webdriver.ActionChains(driver).send_keys(*keys).perform()
        press(Keys.TAB)
        assert "jump" in focused().get_attribute("class"), "the first stop skips to the verdict"
        press("/")
        assert focused().get_attribute("id") == "query"
        press("gpu/count")
        frames(driver)
        assert "gpu/count" in visible(driver) and len(visible(driver)) < total(driver)
        for _ in range(20):
            if focused().tag_name == "summary":
                break
            press(Keys.TAB)
        assert focused().tag_name == "summary", "checks are reached by Tab"
        ring = driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none", "what has the focus is seen"
        press(Keys.ENTER)
        frames(driver)
        assert driver.execute_script("return document.activeElement.parentElement.open")
        press(Keys.ESCAPE)
        frames(driver)
        assert len(visible(driver)) == total(driver)


def without_script_everything_is_there_and_no_control(folder, axe):
    with browser(script=False) as driver:
        driver.get(address(folder / "every-outcome.html"))
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        assert len(visible(driver)) == total(driver) > 10
        assert not driver.execute_script(
            "return document.getElementById('filter').checkVisibility()")
        assert not driver.find_elements(By.CSS_SELECTOR, ".next button")


def hostile_text_is_only_text(folder, axe):
    with browser() as driver:
        for name in ["hostile", "long-line"]:
            page = folder / f"{name}.html"
            driver.get(address(page))
            unfold(driver)
            frames(driver)
            said, asked = complaints(driver)
            assert not said, said
            # An open alert would have made every call fail.
            found = driver.execute_script(
                "return {scripts: document.scripts.length, styles: document.querySelectorAll('style, link').length,"
                " odd: document.querySelectorAll('main b, main host, main script, main img, main iframe, main object').length,"
                " inline: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some("
                "   a => a.name === 'style' || a.name.startsWith('on'))).length,"
                " text: document.body.innerText}")
            text = found.pop("text")
            assert found == {"scripts": 1, "styles": 1, "odd": 0, "inline": 0}, found
            if name == "hostile":
                assert "<script>alert(1)</script>" in text and "]]>" in text
                assert not any(c in text for c in "\u202a\u202e\u2066\x1b\x07"), "a control is left"
            size = page.stat().st_size
            assert size < 2_000_000, f"{page.name} is of {size} B"


def ten_thousand_checks_open_and_are_filtered(folder, axe):
    page = folder / "large.html"
    latency = ("const [value, done] = arguments; const q = document.getElementById('query');"
               "q.value = value; const from = performance.now();"
               "q.dispatchEvent(new Event('input'));"
               "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from)))")
    with browser() as driver:
        driver.execute_cdp_cmd("Performance.enable", {})

        def busy():
            """Returns the processor time of the page so far, which other work hardly touches. In s."""
            found = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            return next(metric["value"] for metric in found if metric["name"] == "ProcessTime")

        driver.get(address(page))
        loading = busy()
        assert total(driver) == 10_000
        timing = driver.execute_script(
            "const n = performance.getEntriesByType('navigation')[0];"
            "return [n.domInteractive, n.domContentLoadedEventEnd, n.loadEventEnd,"
            " document.getElementsByTagName('*').length]")
        paint = driver.execute_script(
            "return (performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime")
        took = {}
        for words in ["c", "ch", "check-0", "node-2", "timed", "no such thing", ""]:
            before = busy()
            took[words] = (driver.execute_async_script(latency, words), 1000 * (busy() - before))
        driver.find_element(By.CSS_SELECTOR, "button[data-outcome=fail]").click()
        frames(driver)
        assert len(visible(driver)) == 100, len(visible(driver))
    print(f"page of 10,000 checks: {page.stat().st_size / 1e6:.1f} MB, {timing[3]} elements; "
          f"interactive after {timing[0]:.0f} ms, DOMContentLoaded {timing[1]:.0f} ms, load {timing[2]:.0f} ms, "
          f"first paint {paint:.0f} ms; {loading:.1f} s of processor time")
    print("filter, input to second frame (processor time): " +
          ", ".join(f"{words!r} {ms:.0f} ms ({cpu:.0f} ms)" for words, (ms, cpu) in took.items()))


if __name__ == "__main__":
    test, folder, axe = sys.argv[1:4]
    globals()[test](pathlib.Path(folder), axe)
