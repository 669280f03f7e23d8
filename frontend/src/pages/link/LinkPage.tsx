/** A short link: turns into the place that it stands for, or says why it cannot. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError, answered, api } from "@/api/client";
import { addressOf } from "@/lib/shortLink";
import { Icon } from "@/ui/icons";
import { Failure } from "@/ui/Panel";

export function LinkPage() {
  const { id } = useParams({ from: "/s/$id" });
  const router = useRouter();
  const place = useQuery({
    queryKey: ["share", id],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/share/{share_id}", { params: { path: { share_id: id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const { data, error } = place;
  const address = data ? addressOf(data, document.baseURI) : null;
  useEffect(() => {
    if (address) router.history.replace(address);
  }, [address, router]);
  const unknown = (data && !address) || (error instanceof ApiError && error.status === 404);
  if (!unknown && !error) {
    return (
      <p role="status" className="grid h-full place-content-center text-mute">
        Opening the link…
      </p>
    );
  }
  return (
    <div className="grid h-full place-content-center justify-items-center gap-2 p-4 text-center">
      {unknown ? (
        <div role="alert" className="grid justify-items-center gap-2">
          <p className="flex items-center gap-1.5 text-[14px]">
            <Icon name="link" />
            This short link leads nowhere
          </p>
          <p className="max-w-[52ch] text-mute">
            It is mistyped, or was made so long ago that newer ones took its place. Ask whoever gave it to you
            for another, or for the search itself.
          </p>
          {error instanceof ApiError && error.body.hint ? (
            <p className="max-w-[52ch] text-[12px] text-mute">{error.body.hint}</p>
          ) : null}
        </div>
      ) : (
        <Failure query={place} />
      )}
      <Link to="/explore" className="text-accent hover:underline">
        Go to Explore
      </Link>
    </div>
  );
}
