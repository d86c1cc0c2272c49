export { ImageTo3dError } from "./error.js";
export { createSession } from "./wasm/csm_image_to_3d.js";
export type {
  ConnectionOptions,
  CreateOptions,
  CreateSessionOptions,
  Creativity,
  ErrorDetails,
  ErrorKind,
  ImageSource,
  KnownStatus,
  Parameters,
  Phase,
  PreviewMesh,
  Progress,
  RefineSpeed,
  Resolution,
  Sent,
  Session,
  SessionFields,
  Topology,
} from "./wasm/csm_image_to_3d.js";
