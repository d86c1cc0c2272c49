// Prints the errors of the first calls of the library and of the sandbox, as JSON.

import { listSessions } from "../../pkg/index.js";
import { createSandbox } from "../../pkg/sandbox.js";

const sandbox = createSandbox();
const calls = [listSessions({ baseUrl: "http://localhost" }), sandbox.requests()];
const results = await Promise.allSettled(calls);
const errors = results.map((result) => {
  if (result.status === "fulfilled") return undefined;
  const { message, kind, sent, cause } = result.reason;
  return { message, kind, sent, cause: cause?.name };
});
console.log(JSON.stringify(errors));
