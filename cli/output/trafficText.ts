import type { Traffic } from "../../core/index.js";
import type { Line } from "./text.js";
import { bytesText, countText } from "./units.js";

/** What went over the network, as in `network 57 requests (GET 9, LIST 11, PUT 37), 512 MiB up, 40 KiB down`. */
export function trafficLine({ requests, bytesUp, bytesDown, retries }: Traffic): Line {
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(requests).map(([kind, count]) => `${kind} ${count}`);
  const again = retries === 0 ? "" : `, ${retries} of them repeated`;
  const moved = `${bytesText(bytesUp)} up, ${bytesText(bytesDown)} down`;
  return `network ${countText(total, "request")} (${kinds.join(", ")})${again}, ${moved}`;
}
