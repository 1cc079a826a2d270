// The parts of the S3 backend that need no server: locations, retries, the gate, what may be repeated, secrets in errors.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { readAhead } from "../../core/platform/readAhead.js";
import { RequestGate } from "../../core/storage/s3/requestGate.js";
import { retrying } from "../../core/storage/s3/retrying.js";
import { callErrorOf, type S3CallFacts } from "../../core/storage/s3/s3CallError.js";
import { isWorthRetrying, s3Failure } from "../../core/storage/s3/s3Failure.js";
import { describeS3Location, parseS3Location } from "../../core/storage/s3/s3Location.js";

const request = {
  verb: "s3:PutObject",
  operation: "put",
  endpoint: "https://h.example",
  bucket: "b",
  key: "packs/00/a",
};

function facts(some: Partial<S3CallFacts>): S3CallFacts {
  return { name: "Error", status: undefined, systemCode: undefined, message: "", requestId: undefined, ...some };
}

function textsOf(given: { region?: string; "storage-class"?: string; ca?: string; profile?: string }) {
  return [given.region, given["storage-class"], given.ca, given.profile];
}

describe("S3 locations", () => {
  it("are read in all forms", () => {
    const custom = parseS3Location(
      "s3:https://host.example:9000/bucket/a/b/?region=eu-1&path-style=false&connections=4",
    );
    assert.deepEqual(
      [custom.endpoint, custom.bucket, custom.prefix, custom.region, custom.pathStyle, custom.connections],
      ["https://host.example:9000", "bucket", "a/b/", "eu-1", false, 4],
    );
    for (const text of ["s3:my-bucket/vms", "s3://my-bucket/vms", "S3:my-bucket/vms/"]) {
      const { endpoint, bucket, prefix } = parseS3Location(text);
      assert.deepEqual([endpoint, bucket, prefix], [undefined, "my-bucket", "vms/"], text);
    }
    assert.equal(describeS3Location(custom), "s3:https://host.example:9000/bucket/a/b");
  });

  it("keep every option as it was written", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{1,20}[a-z0-9]$/);
    const options = fc.record(
      {
        region: word,
        "storage-class": word,
        "path-style": fc.constantFrom("true", "false"),
        ca: fc.stringMatching(/^[ -~]{1,20}$/),
        profile: fc.stringMatching(/^[ -~]{1,20}$/),
        connections: fc.integer({ min: 1, max: 256 }).map(String),
        "requests-per-second": fc.integer({ min: 1, max: 1000 }).map(String),
        timeout: fc.integer({ min: 1, max: 3600 }).map(String),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(word, fc.array(word, { maxLength: 3 }), fc.boolean(), options, (bucket, folders, own, given) => {
        const place = [own ? "https://h.example/" : "", bucket, ...folders.map((part) => `/${part}`)].join("");
        const read = parseS3Location(`s3:${place}?${new URLSearchParams(given as Record<string, string>)}`);
        assert.equal(describeS3Location(read), `s3:${place}`);
        assert.deepEqual([read.region, read.storageClass, read.caFile, read.profile], textsOf(given));
        assert.equal(read.pathStyle, given["path-style"] && given["path-style"] === "true");
        assert.deepEqual([read.connections, read.requestsPerSecond, read.timeoutSeconds].map(String), [
          given.connections ?? "16",
          `${given["requests-per-second"]}`,
          given.timeout ?? "30",
        ]);
      }),
    );
  });

  it("are refused without a word of what may be a secret", () => {
    const refused = [
      "s3:https://key:CANARY@host/bucket",
      "s3:https://CANARY@host/bucket",
      "s3:key:CANARY@bucket/x",
      "s3:https://host/bucket?secret=CANARY",
      "s3:https://host/bucket?CANARY",
      "s3:https://host/bucket?sse=CANARY",
      "s3:https://host/bucket#CANARY",
      "s3:https://host/CANARY%20/x",
      "s3:https://host/",
      "s3:",
      "s3:https://host/bucket/a/../b",
      "s3:bucket/tmp/x",
      "s3:bucket?connections=0",
      "s3:bucket?region=a&region=b",
      "s3:bucket?sse-kms-key-id=x",
    ];
    for (const text of refused) {
      assert.throws(
        () => parseS3Location(text),
        (error: unknown) => {
          assert.ok(isOurError(error, "STORAGE_LOCATION_INVALID"), text);
          assert.doesNotMatch(`${error.message}${error.hint}${JSON.stringify(error.data)}`, /CANARY/);
          return true;
        },
      );
    }
  });
});

describe("S3 locations with two slashes", () => {
  it("are refused for these, and not for their characters", () => {
    for (const text of ["s3:https://host/bucket//lab", "s3:bucket/a//b", "s3:bucket/a//b/"]) {
      assert.throws(() => parseS3Location(text), /two slashes follow each other/, text);
    }
    assert.throws(() => parseS3Location("s3:bucket/a b"), /other characters/);
  });
});

describe("S3 failures", () => {
  it("are repeated when that may help, and only then", () => {
    const repeated = [
      facts({ status: 500 }),
      facts({ status: 503, name: "SlowDown" }),
      facts({ status: 429 }),
      facts({ status: 408 }),
      facts({ status: 409, name: "ConditionalRequestConflict" }),
      facts({ status: 403, name: "RequestTimeTooSkewed" }),
      facts({ status: 400, name: "RequestTimeout" }),
      facts({ systemCode: "ECONNRESET" }),
      facts({ systemCode: "ECONNREFUSED" }),
      facts({ systemCode: "EAI_AGAIN" }),
      facts({ name: "TimeoutError" }),
    ];
    const final = [
      facts({ status: 403, name: "AccessDenied" }),
      facts({ status: 404, name: "NoSuchBucket" }),
      facts({ status: 412 }),
      facts({ status: 416 }),
      facts({ status: 501, name: "NotImplemented" }),
      facts({ status: 507 }),
      facts({ status: 403, name: "QuotaExceeded" }),
      facts({ systemCode: "ENOTFOUND" }),
      facts({ systemCode: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
      facts({ name: "CredentialsProviderError" }),
    ];
    for (const each of repeated) assert.ok(isWorthRetrying(each), JSON.stringify(each));
    for (const each of final) assert.ok(!isWorthRetrying(each), JSON.stringify(each));
  });

  it("say what was not possible", () => {
    const codes: [Partial<S3CallFacts>, string][] = [
      [{ status: 507 }, "STORAGE_FULL"],
      [{ status: 403, name: "QuotaExceeded" }, "STORAGE_FULL"],
      [{ status: 400, name: "ExpiredToken" }, "S3_TOKEN_EXPIRED"],
      [{ status: 403, name: "RequestTimeTooSkewed" }, "S3_CLOCK_SKEW"],
      [{ status: 403 }, "STORAGE_ACCESS_DENIED"],
      [{ status: 301, name: "PermanentRedirect" }, "S3_REGION_WRONG"],
      [{ name: "CredentialsProviderError" }, "S3_CREDENTIALS_MISSING"],
      [{ systemCode: "CERT_HAS_EXPIRED" }, "STORAGE_TLS_FAILED"],
      [{ systemCode: "ENOTFOUND" }, "STORAGE_UNREACHABLE"],
      [{ status: 400, name: "Strange" }, "STORAGE_FAILED"],
    ];
    for (const [some, code] of codes) {
      const error = s3Failure(
        callErrorOf({ ...some, code: some.systemCode, $metadata: { httpStatusCode: some.status } }, []),
        request,
      );
      assert.ok(isOurError(error, code), `${code}: ${String(error)}`);
    }
  });

  it("hold no secret that a server or a library repeats", () => {
    const secret = "canaryCANARYcanary";
    const error = callErrorOf(
      { name: `X${secret}`, message: `you sent ${secret}`, $response: { headers: { secret } } },
      [secret],
    );
    assert.ok(!JSON.stringify([error.message, error.stack, error.facts]).includes(secret));
  });
});

describe("retrying", () => {
  it("pauses longer and longer, at random, until its patience is over", async () => {
    const pauses: number[] = [];
    let nowMs = 0;
    const rules = {
      baseMs: 100,
      capMs: 1000,
      patienceMs: () => 5000,
      now: () => nowMs,
      random: () => 1,
      sleep: async (ms: number) => {
        pauses.push(ms);
        nowMs += ms;
      },
    };
    const failing = retrying(
      () => Promise.reject(new Error("again")),
      () => true,
      rules,
    );
    await assert.rejects(failing, /again/);
    assert.deepEqual(pauses, [100, 200, 400, 800, 1000, 1000, 1000]);
    let tries = 0;
    assert.equal(
      await retrying(
        async () => (++tries < 3 ? Promise.reject(new Error("x")) : tries),
        () => true,
        rules,
      ),
      3,
    );
    await assert.rejects(
      retrying(
        () => Promise.reject(new Error("final")),
        () => false,
        rules,
      ),
      /final/,
    );
  });
});

describe("the gate of requests", () => {
  it("lets so many run at once, in order, and forgets those that are aborted while they wait", async () => {
    const gate = new RequestGate({ atOnce: 2 });
    const order: number[] = [];
    let running = 0;
    const controller = new AbortController();
    const all = Array.from({ length: 6 }, (_, n) =>
      gate.run(
        async () => {
          assert.ok(++running <= 2);
          order.push(n);
          await new Promise((resolve) => setTimeout(resolve, 2));
          running--;
        },
        n === 3 ? controller.signal : undefined,
      ),
    );
    controller.abort();
    await assert.rejects(all[3] as Promise<void>, { name: "AbortError" });
    await Promise.all(all.filter((_, n) => n !== 3));
    assert.deepEqual(order, [0, 1, 2, 4, 5]);
  });

  it("lets so many begin in a second", async () => {
    let nowMs = 0;
    const starts: number[] = [];
    const sleep = async (ms: number) => {
      nowMs += ms;
    };
    const gate = new RequestGate({ atOnce: 1, perSecond: 4, now: () => nowMs, sleep });
    for (let n = 0; n < 4; n++) await gate.run(async () => void starts.push(nowMs));
    assert.deepEqual(starts, [0, 250, 500, 750]);
  });
});

describe("readAhead", () => {
  it("keeps order, the limits, and waits for what is under way after an error", async () => {
    let underWay = 0;
    let most = 0;
    const used: number[] = [];
    const fetch = async (item: number) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, (item * 7) % 5));
      underWay--;
      return item * 2;
    };
    const items = Array.from({ length: 20 }, (_, n) => n);
    const limits = { atOnce: 4, bytes: 30 };
    await readAhead(
      items,
      () => 10,
      fetch,
      async (_item, result) => void used.push(result),
      limits,
    );
    assert.deepEqual(
      used,
      items.map((n) => n * 2),
    );
    assert.equal(most, 3, "three of ten bytes each");
    const failing = async (item: number) => (item === 5 ? Promise.reject(new Error("five")) : fetch(item));
    await assert.rejects(
      readAhead(
        items,
        () => 1,
        failing,
        async () => {},
        limits,
      ),
      /five/,
    );
    assert.equal(underWay, 0);
  });
});
