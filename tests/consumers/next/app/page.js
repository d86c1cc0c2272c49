import { Session } from "./session.js";

export const dynamic = "force-dynamic";

export default function Page() {
  return <Session />;
}
