// Every command by its decision: when it is offered, what its title promises, and which menus it is in.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { inProject } from "../support/projectRoot.js";
import { DECISIONS, type Decision } from "./support/commandDecisions.js";
import { holds, type WhenContext } from "./support/whenClause.js";

interface MenuItem {
  command?: string;
  submenu?: string;
  when?: string;
  group?: string;
}

interface Contributed {
  commands: { command: string; title: string; category?: string; icon?: string; enablement?: string }[];
  menus: Record<string, MenuItem[]>;
  submenus: { id: string }[];
  keybindings?: unknown;
}

const read = (path: string) => JSON.parse(readFileSync(inProject(path), "utf8"));
const { commands, menus, submenus, keybindings }: Contributed = read("package.json").contributes;
const words = read("package.nls.json") as Record<string, string>;
const nameOf = (command: string) => command.replace(/^reprise\./, "");
const titleOf = (name: string) => words[`command.${name}`] ?? "";
const REPOSITORIES = '[{"location":"/srv/backup"}]';
/** Words that are not capitalized within a title, and names that are written as they are. */
const SMALL = /^(?:a|an|and|as|at|by|for|from|in|is|of|or|over|the|to|with|tar|zip|reprise|qcow2|\(gc\)|\(prune\))$/;
/** Entries that a person looks through at a time, and in one part of the menu. */
const [MOST, MOST_TOGETHER] = [16, 6];

/** What a palette's `when` should be answering. */
function isOffered({ offered, needsTrust }: Decision, context: WhenContext): boolean {
  if (needsTrust && !context.isWorkspaceTrusted) return false;
  if (offered === "always") return true;
  if (offered === "repository") return context["config.reprise.repositories"] === REPOSITORIES;
  if (offered === "folder") return Number(context.workspaceFolderCount) > 0;
  return offered.context.some((key) => context[key] === true);
}

const CONTEXTS: WhenContext[] = [
  {},
  { isWorkspaceTrusted: true },
  { "config.reprise.repositories": "[]", isWorkspaceTrusted: true, workspaceFolderCount: 1 },
  { "config.reprise.repositories": REPOSITORIES },
  { "config.reprise.repositories": REPOSITORIES, isWorkspaceTrusted: true, workspaceFolderCount: 1 },
  ...Object.values(DECISIONS).flatMap(({ offered }) =>
    typeof offered === "object" ? offered.context.map((key) => ({ [key]: true, isWorkspaceTrusted: true })) : [],
  ),
];

describe("commands", () => {
  it("have each a decision, a title, a category and an icon", () => {
    const declared = commands.map(({ command }) => nameOf(command));
    assert.deepEqual([...declared].sort(), Object.keys(DECISIONS).sort());
    for (const { command, title, category, icon } of commands) {
      assert.equal(title, `%command.${nameOf(command)}%`);
      assert.equal(category, "Reprise", command);
      assert.match(icon ?? "", /^\$\([a-z-]+\)$/, command);
    }
    const titles = declared.map(titleOf);
    assert.equal(new Set(titles).size, titles.length);
  });

  it("say what they do in title case, and by an ellipsis whether they ask", () => {
    for (const [name, { asks }] of Object.entries(DECISIONS)) {
      const title = titleOf(name);
      assert.equal(title.endsWith("…"), asks, title);
      const [first = "", ...rest] = title.replace("…", "").split(" ");
      assert.match(first, /^[A-Z]/, title);
      for (const word of rest) assert.ok(SMALL.test(word) || /^[A-Z]/.test(word), `${title}: ${word}`);
    }
  });

  it("are in the palette when they make sense, and only then", () => {
    const rules = new Map((menus.commandPalette ?? []).map(({ command, when }) => [nameOf(command ?? ""), when]));
    for (const [name, decision] of Object.entries(DECISIONS)) {
      const isAlways = decision.offered === "always" && !decision.needsTrust;
      assert.equal(rules.has(name), !isAlways, name);
      for (const context of CONTEXTS) {
        const expected =
          isOffered(decision, context) && (name !== "restoreToWorkspace" || Number(context.workspaceFolderCount) > 0);
        assert.equal(holds(rules.get(name), context), expected, `${name} in ${JSON.stringify(context)}`);
      }
    }
  });

  it("cannot be run from anywhere in a workspace that nobody trusts, when they write or start something", () => {
    for (const { command, enablement } of commands) {
      const { needsTrust, offered } = DECISIONS[nameOf(command)] as Decision;
      // they say themselves what is missing
      const tells = ["initRepository", "makeDemo", "checkGate"].includes(nameOf(command)) || offered === "always";
      if (needsTrust && !tells) assert.equal(enablement, "isWorkspaceTrusted", command);
      if (!needsTrust) assert.equal(enablement, undefined, command);
    }
  });

  it("have no keys of their own", () => assert.equal(keybindings, undefined));
});

describe("menus of rows", () => {
  const rows: Record<string, string[]> = {
    "reprise.repositories": [
      ...["repository.open", "repository.closed", "repository.locked", "namespace", "machine", "day", "snapshot"],
      ...["snapshot.protected", "disk", "volume", "folder", "file", "link", "other", "unopenable", "more", "problem"],
    ],
    "reprise.versions": ["version.file", "version.file.first", "version.other", "absent"],
    "reprise.changes": ["changedFolder", "changed.added", "changed.removed", "changed.changed", "moreChanges"],
    "reprise.search": ["hit.file", "hit.folder", "hit.other", "hitLine"],
    "reprise.restoreTests": ["repository", "machine.tested", "machine.untested", "problem"],
  };
  const entries = (view: string, viewItem: string, isWorkspaceTrusted = true): MenuItem[] => {
    const context = { view, viewItem, isWorkspaceTrusted, workspaceFolderCount: 1, "reprise.hasTestReports": true };
    return (menus["view/item/context"] ?? []).filter(({ when }) => holds(when, context));
  };
  const each = Object.entries(rows).flatMap(([view, items]) => items.map((item) => [view, item] as const));

  it("are short, in parts", () => {
    for (const [view, item] of each) {
      const shown = entries(view, item).filter(({ group = "" }) => !group.startsWith("inline"));
      assert.ok(shown.length <= MOST, `${view} ${item}: ${shown.length}`);
      const parts = Map.groupBy(shown, ({ group = "" }) => group.split("@")[0]);
      for (const [part, together] of parts)
        assert.ok(together.length <= MOST_TOGETHER, `${view} ${item} ${part}: ${together.length}`);
      assert.ok(entries(view, item).length - shown.length <= 3, `${view} ${item}: icons`);
      const names = shown.map(({ command, submenu }) => command ?? submenu);
      assert.equal(new Set(names).size, names.length, `${view} ${item}: ${names.join(" ")}`);
    }
  });

  it("copy how everything is named", () => {
    const nothingToName = ["hitLine", "more", "problem", "absent", "moreChanges"];
    for (const [view, item] of each) {
      const canCopy = entries(view, item).some(({ submenu }) => submenu === "reprise.copy");
      assert.equal(canCopy, !nothingToName.includes(item), `${view} ${item}`);
    }
    assert.ok((menus["testing/item/context"] ?? []).some(({ submenu }) => submenu === "reprise.copy"));
  });

  it("offer nothing that writes or starts something without trust", () => {
    for (const [view, item] of each) {
      const offered = entries(view, item, false).map(({ command }) => nameOf(command ?? ""));
      assert.deepEqual(
        offered.filter((name) => DECISIONS[name]?.needsTrust),
        [],
        `${view} ${item}`,
      );
    }
  });

  it("name submenus and commands that there are", () => {
    const known = new Set([...commands.map(({ command }) => command), ...submenus.map(({ id }) => id)]);
    for (const [menu, items] of Object.entries(menus))
      for (const { command, submenu } of items) assert.ok(known.has(command ?? submenu ?? ""), `${menu}: ${command}`);
    for (const { id } of submenus) assert.ok((menus[id] ?? []).length > 1, id);
  });

  it("of local files are there below mapped folders only", () => {
    const local = { resourceScheme: "vscode-remote", resourceDirname: "/home/ada/etc", isWorkspaceTrusted: true };
    const offered = (menu: string, context: WhenContext) =>
      (menus[menu] ?? []).filter(({ when }) => holds(when, context)).map(({ command }) => nameOf(command ?? ""));
    for (const menu of ["explorer/context", "editor/title/context"]) {
      assert.deepEqual(offered(menu, { ...local, "reprise.mappedFolders": ["/home/ada"] }), []);
      const mapped = { ...local, "reprise.mappedFolders": ["/home/ada", "/home/ada/etc"] };
      assert.deepEqual(offered(menu, mapped), ["showVersions", "diffWithLocal"]);
      assert.deepEqual(offered(menu, { ...local, resourceScheme: "file", "reprise.mapsEverything": true }), [
        ...["showVersions", "diffWithLocal"],
      ]);
    }
  });
});
