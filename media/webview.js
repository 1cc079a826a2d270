// The one script of our webviews: passes clicks on to the extension, takes new contents from it, and sorts tables.

(() => {
  // @ts-expect-error: the editor gives it
  const editor = acquireVsCodeApi();
  const content = document.getElementById("content");
  const status = document.getElementById("status");

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button === null) return;
    const { action, machine, sort } = button.dataset;
    if (action !== undefined) editor.postMessage({ kind: "action", action });
    else if (machine !== undefined) editor.postMessage({ kind: "machine", machine });
    else if (sort !== undefined) sortTable(button, Number(sort));
  });

  window.addEventListener("message", ({ data }) => {
    if (data?.kind === "status") status.textContent = String(data.text);
    if (data?.kind === "buttons") {
      for (const button of document.querySelectorAll("button[data-action]"))
        button.disabled = !data.enabled.includes(button.dataset.action);
    }
    if (data?.kind !== "content") return;
    content.innerHTML = String(data.html);
    content.setAttribute("aria-busy", "false");
  });

  /** By the numbers or texts of a column's cells; the same button again turns the order. */
  function sortTable(button, column) {
    const [table, head] = [button.closest("table"), button.closest("th")];
    const isDown = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const body = table.tBodies[0];
    const cellValue = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [x, y] = [cellValue(a), cellValue(b)];
      const numbers = Number(x) - Number(y);
      return (Number.isNaN(numbers) ? x.localeCompare(y) : numbers) * (isDown ? -1 : 1);
    };
    body.append(...[...body.rows].sort(compare));
  }

  editor.postMessage({ kind: "ready" });
})();
