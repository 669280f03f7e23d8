/** The application: its router and its queries, in place of what index.html held until then. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "@/api/client";
import { makeRouter } from "@/app/router";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // What the sender must change is not tried again; what may pass later is.
      retry: (tries, error) => tries < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
});

const router = makeRouter();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
// The page's own file comes first: until then the shell of index.html stands.
await router.load();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
