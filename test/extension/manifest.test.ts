import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseS3Location } from "../../core/storage/s3/s3Location.js";
import { parseSftpLocation } from "../../core/storage/sftp/sftpLocation.js";
import { VERSION } from "../../extension/service/version.js";
import { inProject } from "../support/projectRoot.js";

interface Manifest {
  version: string;
  main: string;
  engines: { vscode: string };
  devDependencies: Record<string, string>;
  activationEvents: string[];
  enabledApiProposals?: string[];
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command?: string }[]>;
  };
}

const readJson = <T = Record<string, string>>(...path: string[]) =>
  JSON.parse(readFileSync(inProject(...path), "utf8")) as T;
const manifest = readJson<Manifest>("package.json");
const sources = readdirSync(inProject("extension"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(inProject("extension"), path), "utf8"));

/** Members of proposed API that an extension like ours could be tempted by. */
const PROPOSED = [
  "registerTimelineProvider",
  "registerFileSearchProvider",
  "registerTextSearchProvider",
  "findTextInFiles",
  "findFiles2",
  "registerRemoteAuthorityResolver",
  "createFileSystemWatcher2",
  "registerQuickDiffProvider",
  "TreeItemCheckboxState2",
  "registerEditSessionIdentityProvider",
  "registerPortAttributesProvider",
  "QuickPickItemTooltip",
  "registerResourceLabelFormatter",
  "MultiDocumentHighlight",
  "TestRunProfile2",
  "registerShareProvider",
];

describe("the extension's manifest", () => {
  it("has the version of the program, and the typings of the oldest editor that it names", () => {
    assert.equal(VERSION, manifest.version);
    assert.equal(manifest.engines.vscode, `^${manifest.devDependencies["@types/vscode"]}`);
  });

  it("starts nothing with the editor, only where there are files or tabs of ours", () => {
    assert.deepEqual(
      manifest.activationEvents.filter(
        (event) =>
          !/^(onFileSystem:|onWebviewPanel:|workspaceContains:.*(reprise\.ya?ml|restore-test\.(ya?ml|json))$)/.test(
            event,
          ),
      ),
      [],
    );
  });

  it("declares exactly the commands that are registered", () => {
    const declared = manifest.contributes.commands.map(({ command }) => command);
    const registered = sources.flatMap((text) =>
      Array.from(text.matchAll(/\bregister\("([A-Za-z]+)"/g), ([, name]) => `reprise.${name}`),
    );
    // only a row of their tree calls them
    assert.deepEqual([...declared, "reprise.showMore", "reprise.showMoreHits"].sort(), registered.sort());
    const inMenus = Object.values(manifest.contributes.menus).flatMap((items) =>
      items.flatMap(({ command }) => command ?? []),
    );
    assert.deepEqual(
      inMenus.filter((command) => !declared.includes(command)),
      [],
    );
  });

  it("has every text in English and in French", () => {
    const english = readJson("package.nls.json");
    const french = readJson("package.nls.fr.json");
    const used = Array.from(
      readFileSync(inProject("package.json"), "utf8").matchAll(/"%([^%"]+)%"/g),
      ([, key]) => key,
    );
    assert.deepEqual([...new Set(used)].sort(), Object.keys(english).sort());
    assert.deepEqual(Object.keys(french), Object.keys(english));
    const said = sources.flatMap((text) =>
      Array.from(text.matchAll(/\bt\(\s*("(?:[^"\\]|\\.)*")/g), ([, literal]) => JSON.parse(literal ?? "") as string),
    );
    const bundle = readJson("l10n", "bundle.l10n.fr.json");
    assert.deepEqual([...new Set(said)].sort(), Object.keys(bundle).sort());
    const places = (text: string) => (text.match(/\{\d\}/g) ?? []).sort();
    for (const [key, text] of Object.entries(bundle)) assert.deepEqual(places(text), places(key), key);
  });

  it("shows only locations that the core takes", () => {
    const pages = [["extension", "README.md"], ["docs", "extension-guide.md"], ["README.md"]];
    const texts = [
      ...[["package.nls.json"], ["package.nls.fr.json"], ["l10n", "bundle.l10n.fr.json"]].flatMap((path) =>
        Object.entries(readJson(...path)).flat(),
      ),
      ...pages.map((path) => readFileSync(inProject(...path), "utf8")),
    ];
    const shown = texts.flatMap((text) => text.match(/\b(?:s3|sftp):[^\s`,)"…]+/g) ?? []);
    const locations = [...new Set(shown.map((text) => text.replace(/[.;:]$/, "")))];
    assert.ok(locations.includes("s3:https://host/bucket/path"), locations.join(" "));
    assert.ok(locations.includes("sftp://user@host/path"), locations.join(" "));
    for (const location of locations) {
      // the name of a host is what somebody types, here a word
      const plain = location.normalize("NFD").replaceAll(/\p{M}/gu, "");
      if (!plain.startsWith("s3:")) assert.doesNotThrow(() => parseSftpLocation(plain), location);
      else assert.equal(parseS3Location(plain).endpoint?.startsWith("https://h"), true, location);
    }
  });

  it("uses no proposed API", function () {
    assert.equal(manifest.enabledApiProposals, undefined);
    const bundle = inProject(manifest.main);
    if (!existsSync(bundle)) this.skip();
    const text = readFileSync(bundle, "utf8");
    assert.deepEqual(
      PROPOSED.filter((name) => text.includes(name)),
      [],
    );
  });
});
