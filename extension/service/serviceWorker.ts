// The worker thread that holds the core. Its end of the protocol is server.ts; this file only connects it to the thread's port.

import { parentPort } from "node:worker_threads";
import type { ToService } from "./protocol.js";
import { ServiceServer } from "./server.js";

const port = parentPort;
if (port === null) throw new Error("serviceWorker is started as a worker thread");

const server = new ServiceServer((message, transfer = []) => port.postMessage(message, transfer));
port.on("message", (message: ToService) => server.receive(message));
