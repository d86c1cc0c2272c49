import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Nothing here is for csm-image-to-3d: it needs no plugin.
export default defineConfig({ plugins: [react()] });
