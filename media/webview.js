// The one script of our webviews: passes clicks on to the extension, takes new contents from it, sorts and searches tables.

(() => {
  // @ts-expect-error: the editor gives it
  const editor = acquireVsCodeApi();
  const content = document.getElementById("content");
  const status = document.getElementById("status");
  const trouble = document.getElementById("trouble");
  /** Rows that a long table shows before somebody asks for all. */
  const FIRST_ROWS = 50;
  /** Tables that are shown whole. */
  const whole = new Set();

  // what the extension needs to know when the window is loaded again
  if (document.body.dataset.state !== undefined) editor.setState(JSON.parse(document.body.dataset.state));
  showRows();

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button === null) return;
    const { action, machine, sort, all } = button.dataset;
    if (action !== undefined) editor.postMessage({ kind: "action", action });
    else if (machine !== undefined) editor.postMessage({ kind: "machine", machine });
    else if (sort !== undefined) sortTable(button, Number(sort));
    else if (all !== undefined) {
      whole.add(all);
      showRows();
      document.getElementById(all).querySelector("tbody button")?.focus();
    }
  });

  // the editor itself only scrolls there
  document.querySelector("a.skip")?.addEventListener("click", () => content.focus());

  document.addEventListener("input", ({ target }) => {
    if (target instanceof HTMLInputElement && target.dataset.search !== undefined) showRows();
  });

  window.addEventListener("message", ({ data }) => {
    if (data?.kind === "status") status.textContent = String(data.text);
    if (data?.kind === "buttons") enable(data.enabled);
    if (data?.kind === "trouble") {
      trouble.textContent = String(data.text);
      trouble.hidden = data.text === "";
    }
    if (data?.kind === "content") replace(String(data.html));
  });

  /** The focus does not get lost with a button that can do nothing now. */
  function enable(names) {
    const focused = document.activeElement;
    const buttons = [...document.querySelectorAll("button[data-action]")];
    for (const button of buttons) button.disabled = !names.includes(button.dataset.action);
    if (focused instanceof HTMLButtonElement && focused.disabled) buttons.find(({ disabled }) => !disabled)?.focus();
  }

  /** New facts, with what the reader had chosen: what is searched for, the order of tables, tables behind charts that are open. */
  function replace(html) {
    const words = new Map([...content.querySelectorAll("[data-search]")].map(({ id, value }) => [id, value]));
    const open = [...content.querySelectorAll("details[open] > summary[id]")].map(({ id }) => id);
    const orders = [...content.querySelectorAll("table[id]")].map((table) => {
      const head = table.querySelector("th[aria-sort]");
      return { id: table.id, column: head?.cellIndex ?? -1, order: head?.getAttribute("aria-sort") };
    });
    const focused = content.contains(document.activeElement) ? document.activeElement.id : "";
    content.innerHTML = html;
    for (const [id, value] of words) {
      const field = document.getElementById(id);
      if (field !== null) field.value = value;
    }
    for (const id of open) document.getElementById(id)?.parentElement.setAttribute("open", "");
    for (const { id, column, order } of orders) {
      const button = document.getElementById(id)?.querySelector(`[data-sort="${column}"]`);
      if (button != null) orderRows(button.closest("th"), column, order);
    }
    showRows();
    if (focused !== "") document.getElementById(focused)?.focus();
  }

  /** The same button again turns the order. */
  function sortTable(button, column) {
    const head = button.closest("th");
    orderRows(head, column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
    showRows();
  }

  /** By the numbers or texts of a column's cells. */
  function orderRows(head, column, order) {
    const table = head.closest("table");
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const cellValue = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [x, y] = [cellValue(a), cellValue(b)];
      const numbers = Number(x) - Number(y);
      return (Number.isNaN(numbers) ? x.localeCompare(y) : numbers) * (order === "descending" ? -1 : 1);
    };
    body.append(...[...body.rows].sort(compare));
  }

  /** Of tables that can be searched: those with the word in their name, the first ones of many. */
  function showRows() {
    for (const field of document.querySelectorAll("[data-search]")) {
      const { search } = field.dataset;
      const rows = [...document.getElementById(search).tBodies[0].rows];
      const word = field.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const isFound = row.cells[0].textContent.toLowerCase().includes(word);
        row.hidden = !isFound || (word === "" && !whole.has(search) && shown >= FIRST_ROWS);
        if (!row.hidden) shown++;
      }
      const found = field.parentElement.querySelector("[data-found]");
      found.textContent = found.dataset.found.replace("{0}", String(shown)).replace("{1}", String(rows.length));
      field.parentElement.querySelector("[data-all]").hidden = word !== "" || shown === rows.length;
    }
  }

  editor.postMessage({ kind: "ready" });
})();
