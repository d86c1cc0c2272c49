export * from "csm-image-to-3d/sandbox";
