/**
 * A component whose code comes after the first rows: when the browser has time, or when it is first
 * shown. Not `React.lazy`: what is suspended is held back for 300 ms, and these are most often there.
 */
import { type ComponentType, createElement, type ReactNode, useEffect, useState } from "react";

const IDLE_MS = 1_500;
const BUSY_MS = 600;

/** Loads when the browser has nothing better to do, soon at the latest. */
export function whenIdle<T>(load: () => Promise<T>): Promise<T> {
  return new Promise((done) => {
    const begin = () => done(load());
    // Safari has none.
    if (typeof requestIdleCallback === "undefined") setTimeout(begin);
    else requestIdleCallback(begin, { timeout: BUSY_MS });
  });
}

/**
 * Until the code is there nothing is shown, or what keeps its place; if it cannot be had, that is
 * said, and it is tried again when it is shown anew.
 */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  meanwhile: (props: P) => ReactNode = () => null,
): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  let loading: Promise<void> | null = null;
  const fetched = (): Promise<void> => {
    loading ??= load().then(
      (component) => {
        loaded = component;
      },
      () => {
        loading = null;
      },
    );
    return loading;
  };
  setTimeout(fetched, IDLE_MS);

  return function Later(props: P) {
    const [here, setHere] = useState(loaded !== null);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (here) return;
      let gone = false;
      void fetched().then(() => {
        if (gone) return;
        setHere(loaded !== null);
        setFailed(loaded === null);
      });
      return () => {
        gone = true;
      };
    }, [here]);
    if (failed)
      return (
        <p role="alert" className="p-3 text-error">
          This part of the page could not be loaded
        </p>
      );
    return here && loaded ? createElement(loaded, props) : meanwhile(props);
  };
}
