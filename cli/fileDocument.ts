// A file inside a snapshot in --json. Names that are not UTF-8 are escaped as in text; `nameHex` has their bytes then.

import { formatName, formatTreePath, type ListedFile } from "../core/index.js";

export function fileDocument(file: ListedFile): Record<string, unknown> {
  const { stat, volume, fileSystem, problem } = file;
  const name = file.path.at(-1) ?? new Uint8Array(0);
  const text = formatName(name);
  return {
    path: formatTreePath(file.path),
    name: text,
    ...(Buffer.from(text, "utf8").equals(name) ? {} : { nameHex: Buffer.from(name).toString("hex") }),
    kind: file.kind,
    sizeBytes: file.sizeBytes,
    ...(stat === null
      ? {}
      : {
          mode: stat.mode === null ? null : stat.mode.toString(8).padStart(4, "0"),
          uid: stat.uid,
          gid: stat.gid,
          links: stat.linkCount,
          allocatedBytes: stat.allocatedBytes,
          modifiedAt: timeText(stat.modifiedAtNs),
          changedAt: timeText(stat.changedAtNs),
          createdAt: timeText(stat.createdAtNs),
          ...(stat.device === null ? {} : { device: stat.device }),
          ...(stat.special === undefined ? {} : { special: stat.special }),
        }),
    ...(file.target === null ? {} : { target: formatName(file.target) }),
    ...(volume === null ? {} : volumeFields(volume)),
    ...(fileSystem === null ? {} : { fileSystem }),
    ...(problem === null ? {} : { problem: { code: problem.code, message: problem.message } }),
  };
}

function volumeFields({ description, partition, remarks }: NonNullable<ListedFile["volume"]>): Record<string, unknown> {
  return { content: description, partition, remarks };
}

/** ISO 8601 with nanoseconds; null when unknown or outside what dates can say. */
export function timeText(ns: bigint | null): string | null {
  if (ns === null) return null;
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const fraction = (ns - seconds * 1_000_000_000n).toString().padStart(9, "0");
  return date.toISOString().replace(".000Z", `.${fraction}Z`);
}
