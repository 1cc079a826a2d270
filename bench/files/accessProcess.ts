// usage: accessProcess.js REQUEST-AS-JSON → the cost as one line of JSON. A process of its own: nothing is compiled or
// cached before the first step, as when somebody runs one command.

import { type AccessRequest, measureAccess } from "./fileAccess.js";

console.log(JSON.stringify(await measureAccess(JSON.parse(process.argv[2]!) as AccessRequest)));
