// The recovery key as people write it down: docs/format/key-slot.md, "Recovery key as text".

import { createHash } from "node:crypto";
import { RepriseError } from "../errors.js";

const PREFIX = "RPRS1";
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const KEY_BYTES = 32;
const CHECK_BYTES = 3;
const GROUP = 5;

/** True for text that is meant as a recovery key, well formed or not. */
export function looksLikeRecoveryKey(text: string): boolean {
  return text.trim().toUpperCase().startsWith(`${PREFIX}-`);
}

/** `RPRS1-` and twelve groups: 32 key bytes and a check of 3 bytes against typing errors. */
export function formatRecoveryKey(key: Uint8Array): string {
  const bytes = Buffer.concat([key, checkOf(key)]);
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  const symbols = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join("");
  return [PREFIX, ...(symbols.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [])].join("-");
}

/** RECOVERY_KEY_INVALID when a character is wrong or missing. The message never repeats the text. */
export function parseRecoveryKey(text: string): Uint8Array {
  const symbols = text
    .trim()
    .toUpperCase()
    .slice(PREFIX.length)
    .replace(/[^0-9A-Z]/g, "");
  let bits = "";
  for (const symbol of symbols) {
    const value = ALPHABET.indexOf(symbol.replace("O", "0").replace(/[IL]/, "1"));
    if (value < 0) throw invalid();
    bits += value.toString(2).padStart(5, "0");
  }
  if (bits.length !== (KEY_BYTES + CHECK_BYTES) * 8) throw invalid();
  const bytes = Uint8Array.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
  const key = bytes.slice(0, KEY_BYTES);
  if (!checkOf(key).equals(bytes.subarray(KEY_BYTES))) throw invalid();
  return key;
}

function checkOf(key: Uint8Array): Buffer {
  return createHash("sha256").update(key).digest().subarray(0, CHECK_BYTES);
}

function invalid(): RepriseError {
  return new RepriseError("key", "RECOVERY_KEY_INVALID", "the recovery key is not complete or has a typing error", {
    hint: "compare it with the printed key group by group; it starts with RPRS1-",
  });
}
