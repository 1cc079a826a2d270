// Progress as one line of a terminal that is written again and again.

import type { OnProgress, ProgressEvent } from "../../core/index.js";
import type { OutputStream } from "../io.js";
import { printable } from "../output/text.js";
import { bytesText, percentText } from "../output/units.js";
import { MIN_INTERVAL_MS, phaseOf } from "./progressEvents.js";
import { RateMeter } from "./rateMeter.js";

const ERASE = "\r\x1b[K";
const BAR_WIDTH = 20;

export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #now: () => number;
  #meter = new RateMeter();
  #phase = "";
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(stream: OutputStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  readonly onProgress: OnProgress = (event) => {
    const now = this.#now();
    if (phaseOf(event) !== this.#phase) {
      this.#phase = phaseOf(event);
      this.#meter = new RateMeter();
      this.#drawnAt = Number.NEGATIVE_INFINITY;
    }
    this.#meter.add(now, event.done);
    if (now - this.#drawnAt < MIN_INTERVAL_MS) return;
    this.#drawnAt = now;
    this.#isDrawn = true;
    const text = progressText(event, this.#meter.perSecond);
    this.#stream.write(ERASE + cutToWidth(text, this.#stream.columns ?? 80));
  };

  /** Takes the line away, so that something else can be written. */
  erase(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#stream.write(ERASE);
  }
}

/** `backup disk0 [####      ] 42 %  1.2 GiB of 3.0 GiB  310 MiB/s  0:12 left` */
export function progressText(event: ProgressEvent, perSecond: number | undefined): string {
  const { operation, phase, subject, done, total } = event;
  const parts = [subject === undefined ? `${operation}: ${phase}` : `${operation} ${subject}`];
  if (total !== undefined && total > 0) parts.push(bar(done / total), percentText(done, total).padStart(5));
  const amount = amountText(done, event);
  parts.push(total === undefined ? amount : `${amount} of ${amountText(total, event)}`);
  if (perSecond !== undefined)
    parts.push(event.unit === "bytes" ? `${bytesText(perSecond)}/s` : `${Math.round(perSecond)}/s`);
  if (perSecond && total !== undefined && total > done) parts.push(`${clockText((total - done) / perSecond)} left`);
  return printable(parts.join("  "));
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}]`;
}

function amountText(amount: number, { unit }: ProgressEvent): string {
  return unit === "bytes" ? bytesText(amount) : `${amount.toLocaleString("en-US")} ${unit}`;
}

/** `0:07`, `12:30`, `3:05:09`. */
function clockText(seconds: number): string {
  const whole = Math.min(Math.ceil(seconds), 359_999);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, place) => (place === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** The last column stays free: some terminals wrap when it is used. */
function cutToWidth(text: string, columns: number): string {
  return [...text].slice(0, Math.max(0, columns - 1)).join("");
}
