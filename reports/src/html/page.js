// What the page does beyond being read: filter, search, copy. Without it, all of it is still there.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const [panel, query, node, suite, clear, shown] =
    ["filter", "query", "node", "suite", "clear", "shown"].map(by);
  const chips = [...panel.querySelectorAll("[data-outcome]")];

  // Everything is looked at once; filtering then touches only what changes.
  const groups = [];
  const items = [];
  for (const ofNode of document.querySelectorAll(".node")) {
    const nodeGroup = { element: ofNode, left: 0, out: false };
    groups.push(nodeGroup);
    for (const ofSuite of ofNode.querySelectorAll(".suite")) {
      const suiteGroup = { element: ofSuite, left: 0, out: false };
      groups.push(suiteGroup);
      const names = [ofNode.dataset.node, ofSuite.dataset.suite];
      for (const element of ofSuite.querySelectorAll(".check")) {
        const text = element.firstElementChild.firstElementChild.textContent;
        items.push({
          element, text: `${text} ${names.join(" ")}`.toLowerCase(), node: names[0], suite: names[1],
          outcome: element.dataset.outcome, out: false, groups: [nodeGroup, suiteGroup],
        });
      }
    }
  }
  const choices = (select, field, key) => {
    const names = [...new Set(items.map((item) => item[key]))];
    for (const name of names) select.add(new Option(name, name));
    by(field).hidden = names.length < 2;
  };
  choices(node, "node-field", "node");
  choices(suite, "suite-field", "suite");

  const put = (entry, out) => {
    if (entry.out !== out) {
      entry.out = out;
      entry.element.classList.toggle("out", out);
    }
  };
  const pressed = () =>
    chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.outcome);

  const filter = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = pressed();
    for (const group of groups) group.left = 0;
    let left = 0;
    for (const item of items) {
      const isIn =
        (!outcomes.length || outcomes.includes(item.outcome)) &&
        (!node.value || item.node === node.value) &&
        (!suite.value || item.suite === suite.value) &&
        words.every((word) => item.text.includes(word));
      put(item, !isIn);
      if (isIn) {
        left += 1;
        for (const group of item.groups) group.left += 1;
      }
    }
    const all = !words.length && !outcomes.length && !node.value && !suite.value;
    for (const group of groups) put(group, !all && group.left === 0);
    shown.textContent = all ? `All ${items.length} checks are shown.`
      : `${left} of ${items.length} checks are shown.`;
    clear.disabled = all;
  };

  const state = () => {
    const parts = new URLSearchParams();
    if (query.value) parts.set("q", query.value);
    if (pressed().length) parts.set("show", pressed().join(","));
    if (node.value) parts.set("node", node.value);
    if (suite.value) parts.set("suite", suite.value);
    return parts.toString();
  };
  const remember = () => {
    const hash = state();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  let waiting = 0;
  const changed = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { filter(); remember(); });
  };
  const reset = () => {
    query.value = node.value = suite.value = "";
    for (const chip of chips) chip.ariaPressed = "false";
  };

  // A hash is the state of the filter, or names a place, which is then shown and unfolded.
  const follow = (scroll) => {
    const hash = location.hash.slice(1);
    if (/^(q|show|node|suite)=/.test(hash)) {
      const parts = new URLSearchParams(hash);
      const outcomes = (parts.get("show") || "").split(",");
      query.value = parts.get("q") || "";
      node.value = parts.get("node") || "";
      suite.value = parts.get("suite") || "";
      for (const chip of chips) chip.ariaPressed = String(outcomes.includes(chip.dataset.outcome));
      filter();
      if (scroll) by("checks").scrollIntoView();
      return;
    }
    const place = hash && by(hash);
    if (!place) return;
    if (place.closest(".out")) {
      reset();
      filter();
    }
    const details = place.querySelector(":scope > details");
    if (details) {
      details.open = true;
      place.scrollIntoView();
    }
  };

  panel.hidden = false;
  query.addEventListener("input", changed);
  node.addEventListener("change", changed);
  suite.addEventListener("change", changed);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = String(chip.ariaPressed !== "true");
      changed();
    });
  }
  clear.addEventListener("click", () => { reset(); changed(); query.focus(); });
  addEventListener("hashchange", () => follow(true));
  addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
      query.select();
    } else if (event.key === "Escape" && !clear.disabled) {
      event.preventDefault();
      reset();
      changed();
    }
  });

  // What is to be done can be taken along: the commands in it, or all of it where there is none.
  for (const line of document.querySelectorAll(".next")) {
    const copy = line.querySelector(".copy");
    const codes = copy ? [...copy.parentElement.querySelectorAll(".copy code, code.copy")] : [];
    // A word alone is a name, not a command.
    const commands = codes.map((code) => code.textContent).filter((text) => text.includes(" "));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const text = commands.length ? commands.join("\n") : copy.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(copy);
        button.textContent = "Selected";
      }
    });
    if (copy) line.append(button);
  }

  // On paper, checks are unfolded: what is folded can not be read there.
  const unfolded = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll(".check details:not([open]), #method details:not([open])")) {
      details.open = true;
      unfolded.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of unfolded.splice(0)) details.open = false;
  });

  filter();
  follow(false);
})();
