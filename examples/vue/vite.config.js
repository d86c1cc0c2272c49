import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

const isCustomElement = (tag) => tag === "model-viewer";

// csm-image-to-3d needs no plugin and no settings.
export default defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement } } })],
});
