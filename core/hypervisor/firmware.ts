// UEFI firmware: found through the descriptions that distributions install for it (docs/interop/firmware.json of QEMU), and
// the variables of a machine, saved or fresh, as a copy of its own. Variables fit firmware of the same size only.

import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asArray, asObject, asText } from "./boundedJson.js";
import { hypervisorError } from "./hypervisorErrors.js";
import type { FirmwareFiles } from "./machineArguments.js";
import type { FirmwareShape } from "./machineShape.js";

export interface UefiBuild {
  codePath: string;
  templatePath: string;
  /** Of the variables. */
  sizeBytes: number;
  needsSmm: boolean;
  secureBoot: boolean;
  /** The template holds Microsoft's keys, so that secure boot is on. */
  enrolledKeys: boolean;
}

const FOLDERS = ["/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware"];
/** Debian describes its larger builds only; machines from before 2021 have variables of 128 KiB. */
const UNDESCRIBED = [["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"]] as const;
const MAX_DESCRIPTION_BYTES = 64 * 1024;
const MAX_VARIABLES_BYTES = 8 * 1024 * 1024;

/** All UEFI builds for x86 machines here that are complete. */
export async function findUefiBuilds(folders: readonly string[] = FOLDERS): Promise<UefiBuild[]> {
  const builds: UefiBuild[] = [];
  for (const folder of folders) {
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      const build = name.endsWith(".json") ? await describedBuild(join(folder, name)) : undefined;
      if (build !== undefined) builds.push(build);
    }
  }
  if (folders !== FOLDERS) return builds;
  const plain = { needsSmm: false, secureBoot: false, enrolledKeys: false };
  for (const [codePath, templatePath] of UNDESCRIBED) {
    const sizeBytes = await sizeOf(templatePath);
    if (sizeBytes !== undefined && (await sizeOf(codePath)) !== undefined)
      builds.push({ codePath, templatePath, sizeBytes, ...plain });
  }
  return builds;
}

/**
 * The firmware for the shape, with variables in `folder` for one machine. FIRMWARE_MISSING when none is installed that has secure
 * boot as wanted and fits the saved variables.
 */
export async function prepareFirmware(
  shape: FirmwareShape,
  variables: Uint8Array | undefined,
  variablesPath: string,
  builds?: readonly UefiBuild[],
): Promise<FirmwareFiles | null> {
  if (shape.kind === "bios") return null;
  const { secureBoot } = shape;
  const saved = variables === undefined ? undefined : withoutPadding(variables);
  const build = chooseBuild(builds ?? (await findUefiBuilds()), secureBoot, saved?.length);
  if (build === undefined) throw missing(secureBoot, saved?.length);
  if (saved === undefined) await copyFile(build.templatePath, variablesPath);
  else await writeFile(variablesPath, saved, { mode: 0o600 });
  return { codePath: build.codePath, variablesPath, needsSmm: build.needsSmm };
}

/**
 * A volume that holds variables may be rounded up: their own header tells their length (UEFI Platform Initialization, volume 3,
 * EFI_FIRMWARE_VOLUME_HEADER: FvLength at byte 32, signature at 40).
 */
export function withoutPadding(variables: Uint8Array): Uint8Array {
  if (variables.length < 48) return variables;
  const view = new DataView(variables.buffer, variables.byteOffset, variables.byteLength);
  const isVolume = view.getUint32(40) === 0x5f465648; // "_FVH"
  const length = view.getBigUint64(32, true);
  return isVolume && length >= 48n && length < BigInt(variables.length)
    ? variables.subarray(0, Number(length))
    : variables;
}

/** Secure boot with fresh variables needs those with keys in them; without secure boot, the simplest build. */
export function chooseBuild(
  builds: readonly UefiBuild[],
  secureBoot: boolean,
  variablesBytes: number | undefined,
): UefiBuild | undefined {
  const fitting = builds.filter(({ sizeBytes }) => variablesBytes === undefined || sizeBytes === variablesBytes);
  const able = fitting.filter((build) => build.secureBoot === secureBoot);
  if (!secureBoot) return able.find(({ needsSmm }) => !needsSmm);
  return able.find(({ enrolledKeys }) => enrolledKeys) ?? (variablesBytes === undefined ? undefined : able[0]);
}

async function describedBuild(path: string): Promise<UefiBuild | undefined> {
  const size = await sizeOf(path);
  if (size === undefined || size > MAX_DESCRIPTION_BYTES) return undefined;
  const text = await readFile(path, "utf8").catch(() => "");
  const description = parse(text);
  const mapping = asObject(description?.mapping);
  const code = asObject(mapping?.executable);
  const template = asObject(mapping?.["nvram-template"]);
  const targets = asArray(description?.targets).map(asObject);
  const isForUs =
    asArray(description?.["interface-types"]).includes("uefi") &&
    mapping?.device === "flash" &&
    [code, template].every((file) => file?.format === "raw") &&
    targets.some((target) => target?.architecture === "x86_64" && reachesQ35(target));
  if (!isForUs) return undefined;
  const [codePath, templatePath] = [asText(code?.filename), asText(template?.filename)];
  const sizeBytes = await sizeOf(templatePath);
  if (sizeBytes === undefined || sizeBytes > MAX_VARIABLES_BYTES || (await sizeOf(codePath)) === undefined)
    return undefined;
  const features = asArray(description?.features);
  return {
    codePath,
    templatePath,
    sizeBytes,
    needsSmm: features.includes("requires-smm"),
    secureBoot: features.includes("secure-boot"),
    enrolledKeys: features.includes("enrolled-keys"),
  };
}

function reachesQ35(target: Record<string, unknown>): boolean {
  return asArray(target.machines).some((pattern) => asText(pattern).startsWith("pc-q35"));
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  if (dirname(path) === ".") return undefined;
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ? stats.size : undefined;
}

function missing(secureBoot: boolean, variablesBytes: number | undefined): Error {
  const wanted = secureBoot ? "UEFI firmware with secure boot" : "UEFI firmware";
  const fitting = variablesBytes === undefined ? "" : ` for saved variables of ${variablesBytes} bytes`;
  return hypervisorError("FIRMWARE_MISSING", `there is no ${wanted}${fitting}`, {
    data: { secureBoot, variablesBytes: variablesBytes ?? null },
    hint: "install it: apt-get install ovmf",
  });
}
