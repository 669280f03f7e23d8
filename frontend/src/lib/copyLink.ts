/** Copies a link that can be passed on: a short one where the address is long. */
import { toClipboard } from "@/lib/clipboard";

/** Chats and mail cut longer ones. */
const LONG_LINK = 2_000;

/** What to tell people. */
export async function copyLink(href: string): Promise<string> {
  let said = "Link copied";
  let link = href;
  if (href.length > LONG_LINK) {
    try {
      const { shortened } = await import("@/lib/shortLink");
      link = await shortened(href);
      said = "Short link copied";
    } catch (error) {
      said = `Long link copied: ${error instanceof Error ? error.message : "it cannot be shortened now"}`;
    }
  }
  return (await toClipboard(link)) ? said : "The browser allows no copying";
}
