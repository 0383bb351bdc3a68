/**
 * The console: who is signed in, the menu, and the screen that is open.
 *
 * @module
 */
import {
  QueryCache,
  QueryClient,
  QueryClientProvider,
  useQueryClient,
} from "@tanstack/react-query";
import { Suspense, useCallback, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ApiFault, useCall } from "../calls/index.ts";
import { useConnection } from "../live/index.ts";
import { Empty, Failure, Loading } from "../parts/index.ts";
import { SignInScreen } from "../screens/signin/index.tsx";
import { Fence } from "./fence.tsx";
import { Menu } from "./menu.tsx";
import { SCREENS } from "./screens.ts";
import styles from "./app.module.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // While the console does not answer, what was read stays, and is asked for again; a refusal is one.
      retry: (_, error) => error instanceof ApiFault && error.code === "web.unreachable",
      retryDelay: (times) => Math.min(500 * 2 ** times, 5000),
      refetchOnWindowFocus: true,
      networkMode: "always", // A machine without a network reaches itself.
    },
    mutations: { networkMode: "always" },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      // A session may end while one looks: then the way in is shown, and nothing that stood here stays.
      if (!(error instanceof ApiFault) || error.status !== 401) return;
      if (query.queryKey[0] !== "session.show") void queries.resetQueries();
    },
  }),
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Gate />
    </QueryClientProvider>
  );
}

function Gate() {
  const session = useCall("session.show", {});
  const client = useQueryClient();
  const connection = useConnection();
  const [, screen] = useLocation()[0].split("/");
  const { refetch } = session;
  // A stream that broke off may mean that the session was ended elsewhere: then nothing that stands here stays.
  useEffect(() => {
    if (connection === "lost") void refetch();
  }, [connection, refetch]);
  const onSignedIn = useCallback(() => void client.resetQueries(), [client]);
  if (session.isPending) return <Loading what="Opening" />;
  if (session.error?.status === 401) return <SignInScreen onSignedIn={onSignedIn} />;
  if (session.error !== null) return <Failure error={session.error} />;
  return (
    <div className={styles.app}>
      <Menu session={session.data} />
      <main className={styles.main} id="main">
        <Fence key={screen}>
          <Suspense fallback={<Loading />}>
            <Switch>
              {SCREENS.map(({ path, Screen }) => (
                <Route key={path} path={path} nest={path !== "/"}>
                  <Screen />
                </Route>
              ))}
              <Route>
                <Empty title="There is no such page" />
              </Route>
            </Switch>
          </Suspense>
        </Fence>
      </main>
    </div>
  );
}
