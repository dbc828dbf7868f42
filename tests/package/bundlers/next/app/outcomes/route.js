import { outcomes } from "../../outcomes.js";
import * as tasks from "../../tasks.js";

export const dynamic = "force-dynamic";

export async function GET() {
  return Response.json(await outcomes(tasks));
}
