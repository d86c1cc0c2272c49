import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// csm-image-to-3d needs no plugin and no settings.
export default defineConfig({ plugins: [react()] });
