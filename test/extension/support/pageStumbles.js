// Evaluated in a page of ours: what somebody would stumble over who does not see it, or has no mouse. An empty list is good.

(() => {
  const found = [];
  const textOf = (id) => document.getElementById(id)?.textContent.trim() ?? "";
  for (const picture of document.querySelectorAll("svg[role=img]")) {
    const names = (picture.getAttribute("aria-labelledby") ?? "").split(" ").map(textOf);
    if (names.some((name) => name === "")) found.push("a picture without a name");
  }
  for (const button of document.querySelectorAll("button, summary, a")) {
    if (button.textContent.trim() === "") found.push(`${button.tagName} without a name`);
    if (button.tabIndex < 0) found.push(`${button.textContent} cannot be reached by keyboard`);
  }
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  if (new Set(ids).size !== ids.length) found.push("an id twice");
  const levels = [...document.querySelectorAll("h1, h2, h3")].map(({ tagName }) => Number(tagName.slice(1)));
  if (levels[0] !== 1) found.push("does not begin with a heading");
  levels.forEach((level, i) => {
    if (level - (levels[i - 1] ?? 0) > 1) found.push(`a heading of level ${level} after ${levels[i - 1]}`);
  });
  if (document.querySelectorAll("main").length !== 1) found.push("no main landmark");
  if (document.documentElement.lang === "") found.push("no language");
  for (const cell of document.querySelectorAll("thead th, tbody th"))
    if (!cell.hasAttribute("scope")) found.push(`a head cell without scope: ${cell.textContent}`);

  /** WCAG 2.2, 1.4.3: relative luminance and contrast ratio. */
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll(
    "h1, h2, h3, p, td, th, dt, dd span, b, button, summary, figcaption",
  )) {
    if (element.textContent.trim() === "" || element.closest("details:not([open])") || element.disabled) continue;
    const [text, back] = [channels(getComputedStyle(element).color), backgroundOf(element)];
    const alpha = text[3] ?? 1;
    const mixed = text.slice(0, 3).map((value, i) => value * alpha + back[i] * (1 - alpha));
    const [light, dark] = [luminance(mixed), luminance(back)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5)
      found.push(`contrast ${ratio.toFixed(2)} of ${element.tagName} "${element.textContent.trim().slice(0, 30)}"`);
  }
  return [...new Set(found)];
})();
