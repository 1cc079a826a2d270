// Whatever comes in: URIs that anybody can write, settings of any shape, names out of disks.

import assert from "node:assert/strict";
import fc from "fast-check";
import { commandLine } from "../../../extension/model/commandLine.js";
import { withoutIcons, withoutLinks } from "../../../extension/model/harmlessText.js";
import { pathInMachine, readMachineFolders } from "../../../extension/model/machineFolders.js";
import { plainMarkdown } from "../../../extension/model/plainMarkdown.js";
import { fromUriParts, SCHEME, toUriParts } from "../../../extension/model/repriseUri.js";
import { labelText, lastName, messageText, shortened } from "../../../extension/model/shownName.js";

const ID = "0123456789abcdef0123456789abcdef";
const text = fc.string({ unit: "binary", maxLength: 300 });
const piece = fc.constantFrom(
  "/",
  "vm/a",
  "prod:vm/a",
  ID,
  "..",
  ".",
  "//",
  "%2e",
  "\\",
  "\0",
  "part=0-1",
  "?",
  "#",
  "🦀",
);
const path = fc.array(fc.oneof(piece, text), { maxLength: 12 }).map((pieces) => pieces.join(""));

describe("input of any shape", () => {
  it("of a URI is a place that is written the same way, or nothing", () => {
    const parts = fc.record({
      scheme: fc.oneof(fc.constant(SCHEME), text),
      authority: fc.oneof(fc.constant(ID), text),
      path: fc.oneof(
        path,
        path.map((rest) => `/vm/a/${ID}/${rest}`),
      ),
      query: fc.oneof(fc.constant(""), fc.constant("part=5-9"), text),
    });
    fc.assert(
      fc.property(parts, (given) => {
        const place = fromUriParts(given);
        if (place === undefined) return;
        assert.ok(place.path.startsWith("/"));
        assert.deepEqual(fromUriParts(toUriParts(place)), place);
      }),
      { numRuns: 3000 },
    );
  });

  it("of the setting reprise.machines is a list of sound folders", () => {
    fc.assert(
      fc.property(fc.anything(), text, (raw, local) => {
        for (const { repository, machine, folder, path } of readMachineFolders(raw))
          assert.ok([repository, machine, folder, path].every((each) => typeof each === "string"));
        pathInMachine(
          readMachineFolders([raw, { machine: "vm/a", folder: "/", path: "/" }]),
          local,
          (each) => each.folder,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("in names becomes text that the editor does not obey", () => {
    const hostile = fc
      .array(
        fc.oneof(text, fc.constantFrom("[a](", "](command:x)", "$(", "$(alert)", "](\n", "] (", "<img ", "`", "'")),
        { maxLength: 8 },
      )
      .map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(hostile, (name) => {
        assert.doesNotMatch(withoutLinks(name), /\]\(/);
        assert.doesNotMatch(messageText(name), /\]\(/);
        assert.doesNotMatch(withoutIcons(name), /(?<!\\)\$\(/);
        assert.ok([...labelText(name)].length <= 2 * 200 && [...shortened(name, 20)].length <= 20);
        assert.doesNotMatch(plainMarkdown([name]), /(?<!\\)[[\]<>`$]/);
        assert.ok(name.endsWith(lastName(name)));
      }),
      { numRuns: 3000 },
    );
  });

  it("in a command line stays one argument", () => {
    fc.assert(
      fc.property(text, (argument) => {
        const line = commandLine("/srv", ["cat", argument]);
        const middle = line.slice("reprise cat ".length, line.length - " --repo /srv".length);
        const plain = middle.startsWith("'") ? middle.slice(1, -1).replaceAll("'\\''", "'") : middle;
        assert.equal(plain, argument);
        if (!middle.startsWith("'")) assert.match(middle, /^[A-Za-z0-9_@%+=:,./~-]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});
