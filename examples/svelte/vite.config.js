import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// csm-image-to-3d needs no plugin and no settings.
export default defineConfig({ plugins: [svelte()] });
