// Webhooks and mails, to real servers on loopback.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { JobReport } from "../../core/jobReport/jobReport.js";
import { sendMail } from "../../core/jobs/notify/mail.js";
import { notifyPeople } from "../../core/jobs/notify/notify.js";
import { slackMessage } from "../../core/jobs/notify/slackMessage.js";
import { postWebhook } from "../../core/jobs/notify/webhook.js";
import { assertCode } from "../support/assertCode.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { JobWorld } from "./jobWorld.js";

const CANARY = "canary-8f1d2c";

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

class WebhookServer {
  readonly received: Received[] = [];
  /** Of the next answers; then 200. */
  readonly statuses: number[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<WebhookServer> {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      request.on("end", () => {
        started.received.push({ path: request.url ?? "", headers: request.headers, body });
        const status = started.statuses.shift() ?? 200;
        if (status === 0) return; // never answers
        response.writeHead(status, { location: "http://127.0.0.1:1/elsewhere" }).end("thanks");
      });
    });
    const started = new WebhookServer(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return started;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/services/${CANARY}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("webhooks", function () {
  this.timeout(10_000);
  let server: WebhookServer;
  const quick = { pausesMs: [5, 5], timeoutMs: 300 };
  beforeEach(async () => {
    server = await WebhookServer.start();
  });
  afterEach(() => server.close());

  it("take one JSON document", async () => {
    await postWebhook(server.address, '{"a":1}', quick);
    assert.deepEqual(
      server.received.map(({ body, headers }) => [body, headers["content-type"]]),
      [['{"a":1}', "application/json"]],
    );
  });

  it("are tried again when they have trouble or do not answer", async () => {
    server.statuses.push(503, 0);
    await postWebhook(server.address, "{}", quick);
    assert.equal(server.received.length, 3);
    server.statuses.push(429, 500, 502, 200);
    await assertCode(postWebhook(server.address, "{}", quick), "NOTIFICATION_FAILED");
    assert.equal(server.received.length, 6);
  });

  it("are not tried again when they refuse, and not followed elsewhere", async () => {
    for (const status of [404, 302]) {
      server.statuses.push(status);
      const error = await assertCode(postWebhook(server.address, "{}", quick), "NOTIFICATION_FAILED");
      assert.doesNotMatch(`${error.message}${error.hint}${JSON.stringify(error.data)}`, /canary|127\.0\.0\.1/);
    }
    assert.equal(server.received.length, 2);
  });

  it("keep their address secret, whatever goes wrong", async () => {
    for (const address of [`http://127.0.0.1:1/${CANARY}`, `ftp://host/${CANARY}`, CANARY, ""]) {
      const error = await postWebhook(address, "{}", { ...quick, pausesMs: [] }).then(
        () => assert.fail(),
        (thrown: Error) => thrown,
      );
      assert.doesNotMatch(`${error.message} ${error.stack} ${String(error.cause)}`, /canary/);
    }
  });

  it("end with an abort", async () => {
    server.statuses.push(0);
    const controller = new AbortController();
    const posting = postWebhook(server.address, "{}", { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(posting, { name: "AbortError" });
  });
});

describe("mails", function () {
  this.timeout(20_000);
  let folder: TemporaryFolder;
  let tls: { key: string; cert: string };
  let server: SMTPServer;
  let mails: { from: string; to: string[]; text: string; user: string }[];
  before(async () => {
    folder = await makeTemporaryFolder("mail");
    const [keyPath, certPath] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const files = ["-keyout", keyPath, "-out", certPath, "-days", "2"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject], {
      stdio: "ignore",
    });
    tls = { key: await readFile(keyPath, "utf8"), cert: await readFile(certPath, "utf8") };
  });
  after(() => folder.remove());
  afterEach(async () => {
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });

  async function start(options: SMTPServerOptions): Promise<string> {
    mails = [];
    server = new SMTPServer({
      ...{ authOptional: true, logger: false, ...tls },
      onAuth: ({ username, password }, _session, done) => {
        if (username === "user" && password === CANARY) done(null, { user: "user" });
        else done(new Error(`wrong password ${password}`));
      },
      onData: (stream, session, done) => {
        let text = "";
        stream.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          const from = mailFrom === false ? "" : mailFrom.address;
          mails.push({ from, to: rcptTo.map(({ address }) => address), text, user: String(session.user ?? "") });
          done();
        });
      },
      ...options,
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));
    return String((server.server.address() as AddressInfo).port);
  }

  const mail = {
    from: "backup@example.com",
    to: ["a@example.com", "b@example.com"],
    subject: "✓ done",
    text: "Zeile\n",
  };

  it("arrive, over TLS where there is a password", async () => {
    const port = await start({});
    const server = `smtp://user@localhost:${port}`;
    await sendMail({ ...mail, server, password: CANARY }, { ca: tls.cert });
    assert.deepEqual(
      mails.map(({ from, to, user }) => [from, to, user]),
      [[mail.from, mail.to, "user"]],
    );
    assert.match(mails[0]?.text ?? "", /^Subject: =\?UTF-8\?/m);
    assert.match(mails[0]?.text ?? "", /Zeile/);
    assert.doesNotMatch(mails[0]?.text ?? "", /canary/);
  });

  it("arrive by smtps", async () => {
    const port = await start({ secure: true });
    await sendMail({ ...mail, server: `smtps://user@localhost:${port}`, password: CANARY }, { ca: tls.cert });
    assert.equal(mails.length, 1);
  });

  it("never send a password in the clear or to a stranger", async () => {
    const plain = await start({ disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    const wanted = { ...mail, password: CANARY };
    await assertCode(sendMail({ ...wanted, server: `smtp://user@localhost:${plain}` }), "NOTIFICATION_FAILED");
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    const unknown = await start({});
    await assertCode(sendMail({ ...wanted, server: `smtp://user@localhost:${unknown}` }), "NOTIFICATION_FAILED");
    assert.deepEqual(mails, []);
  });

  it("say why they did not go, without what was said", async () => {
    const port = await start({});
    const server = `smtp://user@localhost:${port}`;
    const wrong = sendMail({ ...mail, server, password: `${CANARY}x` }, { ca: tls.cert });
    const error = await assertCode(wrong, "NOTIFICATION_FAILED");
    assert.match(error.message, /535/);
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /canary/);
    const nobody = { ...mail, server: "smtp://127.0.0.1:1", password: null };
    assert.match((await assertCode(sendMail(nobody), "NOTIFICATION_FAILED")).message, /ECONNREFUSED|ESOCKET/);
    for (const server of ["http://x", "smtp://u:secret@x", "mail.example.com", "smtp://"])
      await assertCode(sendMail({ ...nobody, server }), "MAIL_SERVER_INVALID");
  });

  it("complain when only some may receive them", async () => {
    const refusing: SMTPServerOptions = {
      onRcptTo: ({ address }, _session, done) => {
        done(address.startsWith("b@") ? new Error("no such user") : null);
      },
    };
    const port = await start(refusing);
    const error = await assertCode(
      sendMail({ ...mail, server: `smtp://localhost:${port}`, password: null }, { ca: tls.cert }),
      "NOTIFICATION_FAILED",
    );
    assert.match(error.message, /1 of 2 recipients/);
    assert.equal(mails.length, 1);
  });

  it("tell of a job what its text says", async () => {
    const port = await start({});
    const world = await JobWorld.make(`
repositories: { main: { location: memory } }
machines: { vm/a: { disks: a.raw } }
jobs: { nightly: { backup: vm/a, notify: { ops: always } } }
notifications:
  ops: { mail: ops@example.com, server: "smtp://localhost:${port}", from: reprise@example.com }
`);
    try {
      // a certificate of its own making: TLS is not demanded without a password, but checked when it is offered
      const [run] = await world.runAll();
      assert.equal(run?.report.outcome, "warned");
      assert.equal(run?.report.problems[0]?.code, "NOTIFICATION_FAILED");
      assert.equal(run?.report.machines[0]?.outcome, "passed");
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      const open = await start({ disabledCommands: ["STARTTLS"] });
      const [notification] = world.config.notifications;
      assert.ok(notification?.kind === "mail");
      const config = { ...world.config, notifications: [{ ...notification, server: `smtp://localhost:${open}` }] };
      const [again] = await world.runAll({ config });
      assert.equal(again?.report.outcome, "passed");
      assert.match(mails[0]?.text ?? "", /^Subject: \[reprise\] passed: nightly: 1 machine backed up/m);
      assert.match(mails[0]?.text ?? "", /vm\/a/);
      assert.match((mails[0]?.text ?? "").replaceAll("=\r\n", ""), /https:\/\/ci\.example\.com\/runs\/7/);
    } finally {
      await world.close();
    }
  });
});

describe("notifications of jobs", function () {
  this.timeout(30_000);
  let world: JobWorld;
  let server: WebhookServer;
  beforeEach(async () => {
    server = await WebhookServer.start();
    world = await JobWorld.make(`
repositories: { main: { location: memory } }
machines: { vm/a: { disks: a.raw }, vm/b: { disks: gone.raw } }
jobs:
  good: { backup: vm/a, notify: { always: always, slack: warned } }
  bad: { backup: vm/b, notify: { always: always, slack: failed } }
notifications:
  always: { webhook: env:HOOK }
  slack: { webhook: env:HOOK, format: slack }
`);
    world.secrets.set("HOOK", server.address);
  });
  afterEach(async () => {
    await server.close();
    await world.close();
  });

  it("go out on the outcomes that were asked for", async () => {
    const runs = await world.runAll();
    assert.deepEqual(
      runs.map(({ report }) => report.outcome),
      ["passed", "failed"],
    );
    const bodies = server.received.map(({ body }) => JSON.parse(body) as Partial<JobReport> & { blocks?: unknown[] });
    assert.deepEqual(
      bodies.map(({ job, blocks }) => job ?? `slack ${blocks?.length}`),
      ["good", "bad", "slack 3"],
    );
    assert.equal(bodies[0]?.outcome, "passed");
    assert.ok(!server.received.some(({ body }) => body.includes(CANARY)));
  });

  it("that do not arrive are a warning of a job that is done", async () => {
    world.secrets.set("HOOK", `http://127.0.0.1:1/${CANARY}`);
    server.statuses.push(404);
    const options = { secret: async () => server.address };
    const [run] = await world.runAll({ jobs: ["good"] }, options);
    assert.equal(run?.report.outcome, "warned");
    const [problem] = run?.report.problems ?? [];
    assert.equal(problem?.code, "NOTIFICATION_FAILED");
    assert.match(problem?.message ?? "", /^notification always: /);
    assert.doesNotMatch(JSON.stringify(run?.report), /canary/);
  });

  it("are not sent for a dry run", async () => {
    await world.runAll({ dryRun: true });
    assert.equal(server.received.length, 0);
  });

  it("say why when a secret is missing", async () => {
    const [run] = await world.runAll({ jobs: ["good"] }, { secret: () => Promise.reject(new Error(CANARY)) });
    assert.equal(run?.report.problems[0]?.message, "notification always: it failed");
    const told = await notifyPeople(
      world.config,
      { notify: [{ name: "always", on: "failed" }] },
      run!.report,
      world.options,
    );
    assert.deepEqual(told, []);
  });

  it("in Slack's form cannot be broken by what machines are called", async () => {
    const [run] = await world.runAll({ jobs: ["good"] });
    const hostile = "<!channel> ```*x*``` <https://evil|click> & more";
    const report: JobReport = {
      ...run!.report,
      verdict: hostile,
      machines: run!.report.machines.map((line) => ({ ...line, reason: hostile.repeat(300) })),
    };
    const { text, blocks } = JSON.parse(slackMessage(report)) as { text: string; blocks: { text: { text: string } }[] };
    for (const part of [text, ...blocks.slice(0, 2).map((block) => block.text.text)]) {
      assert.doesNotMatch(part, /<(?!https:\/\/ci)/);
      assert.ok(part.length <= 3000);
    }
    assert.equal(blocks[1]?.text.text.match(/```/g)?.length, 2);
  });
});
