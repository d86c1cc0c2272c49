// @vitest-environment jsdom

import { testUpload } from "./upload.suite.js";

testUpload();
