// What the sections of our pages are made of: who reads them, headings, tables that scroll, names of any length, times. Pure.

import { html, Markup } from "../../core/report/markup.js";
import { ageText, dateAndTime, type Translate } from "../model/words.js";

/** The reader's language and clock. */
export interface Reader {
  t: Translate;
  locale: string;
  timeZone?: string;
  /** False: a file to keep or to send, in which no button does anything. Default: a page in the editor. */
  isLive?: boolean;
}

export function section(id: string, title: string, ...content: Markup[]): Markup {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>
`;
}

export function empty(text: string): Markup {
  return html`<p class="empty">${text}</p>`;
}

export function quiet(text: string): Markup {
  return html`<p class="quiet">${text}</p>`;
}

/** A column: its head, and whether amounts stand in it. */
export interface Column {
  head: string;
  isNumber?: boolean;
}

/** Rows are `<tr>` elements. `labelId`: of the heading. It can be scrolled by keyboard where it is wider than the page. */
export function table(labelId: string, columns: readonly Column[], rows: readonly Markup[], isNarrow = false): Markup {
  const heads = columns.map(({ head, isNumber }) => html`<th scope="col"${numberClass(isNumber)}>${head}</th>`);
  const shape = isNarrow ? Markup.constant(' class="narrow"') : Markup.empty;
  return html`<div class="scroll" role="group" tabindex="0" aria-labelledby="${labelId}"><table${shape}><thead><tr>${heads}</tr></thead><tbody>
${rows}</tbody></table></div>`;
}

export function numberClass(isNumber: boolean | undefined): Markup {
  return isNumber ? Markup.constant(' class="number"') : Markup.empty;
}

/** The whole name is in it and in its tooltip; how much of it is seen is a matter of room. */
export function nameOf(text: string): Markup {
  return html`<span class="name" title="${text}">${text}</span>`;
}

/** A machine; a click shows it in the Backups view. */
export function machineName(machine: string, { t, isLive = true }: Reader): Markup {
  if (!isLive) return nameOf(machine);
  const title = `${machine} – ${t("Show in the Backups view")}`;
  return html`<button type="button" class="link name" data-machine="${machine}" title="${title}">${machine}</button>`;
}

/** How long ago; when exactly is in its tooltip, and is what a file says. */
export function when(atMs: number, nowMs: number, { locale, timeZone, isLive = true }: Reader): Markup {
  const exact = dateAndTime(atMs, locale, timeZone);
  const [shown, title] = isLive ? [ageText(atMs, nowMs, locale), exact] : [exact, ageText(atMs, nowMs, locale)];
  return html`<time datetime="${new Date(atMs).toISOString()}" title="${title}">${shown}</time>`;
}

export function badge(kind: string, text: string): Markup {
  return html`<span class="badge ${kind}">${text}</span>`;
}
