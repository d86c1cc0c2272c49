// @vitest-environment happy-dom

import { testUpload } from "./upload.suite.js";

testUpload();
