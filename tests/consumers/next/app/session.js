"use client";

import { useEffect } from "react";

import { app } from "../src/app.js";
import { stageOf } from "../src/library.js";

/** Uses the library when rendered on the server, and creates a session in the browser. */
export function Session() {
  useEffect(() => {
    const server = new URLSearchParams(location.search).get("server") ?? "";
    Object.assign(globalThis, { result: app(server) });
  }, []);
  return <p>{`${stageOf({ status: "preview_done" }).stage} from the server`}</p>;
}
