// Makes a long page section by section: what else waits for this thread is served in between.

import { setImmediate as nextTurn } from "node:timers/promises";
import { joined, type Markup } from "../../core/report/markup.js";

export async function inTurns(sections: Iterable<Markup>): Promise<Markup> {
  const made: Markup[] = [];
  for (const section of sections) {
    made.push(section);
    await nextTurn();
  }
  return joined(made);
}
