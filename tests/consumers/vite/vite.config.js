// The development server finds no files of a package that it has optimized.
export default { optimizeDeps: { exclude: ["csm-image-to-3d"] } };
