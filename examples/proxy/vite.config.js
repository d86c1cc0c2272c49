// Vite's development server as a proxy that adds the API key: pages use `baseUrl: "/api"`. For
// development only; it checks neither origins nor paths.
//   csm-image-to-3d-server --public-url http://localhost:5173/api

const { API_KEY, UPSTREAM = "http://127.0.0.1:8787" } = process.env;

export default {
  server: {
    proxy: {
      "/api": {
        target: UPSTREAM,
        changeOrigin: true,
        rewrite: (/** @type {string} */ path) => path.replace(/^\/api/, ""),
        ...(API_KEY && { headers: { "x-api-key": API_KEY } }),
      },
    },
  },
};
