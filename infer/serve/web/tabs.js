// Tabs as the ARIA practices have them: arrows move between them, the one in view can be reached by Tab.

/** Make a tab list work; the address's fragment names the tab in view. No element's id is such: Tab starts at the top. */
export function startTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const fragment = (tab) => `#/${tab.dataset.name}`;
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function show(tab, focus = false) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      panel(other).hidden = !chosen;
    }
    if (focus) tab.focus();
    panel(tab).dispatchEvent(new CustomEvent("shown"));
  }

  function choose(tab, focus) {
    history.replaceState(null, "", fragment(tab));
    show(tab, focus);
  }

  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length], true);
  });
  show(tabs.find((tab) => fragment(tab) === location.hash) ?? tabs[0]);
}
