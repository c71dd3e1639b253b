/** Which page an address shows, and the sign-in gate before all of them. */

import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';

import { Lazy } from './components/Lazy';
import { Shell } from './components/Shell';
import { Failure, Loading } from './components/States';
import { AdminPage } from './pages/admin/AdminPage';
import { ArchivePage } from './pages/archive/HospitalArchive';
import { ConsultationPage } from './pages/consultation/ConsultationPage';
import { NewConsultationPage } from './pages/consultation/NewConsultationPage';
import { DeskPage } from './pages/desk/DeskPage';
import { NotFoundPage } from './pages/NotFoundPage';
import { SetupPage } from './pages/SetupPage';
import { SignInPage } from './pages/SignInPage';
import { StudyPage } from './pages/study/StudyPage';
import { UploadPage } from './pages/upload/UploadPage';
import { startLive } from './state/live';
import { loadSession, me, session } from './state/session';

export function App() {
  return (
    <LocationProvider>
      <Gate />
    </LocationProvider>
  );
}

function Gate() {
  const { path } = useLocation();
  const now = session.value;
  if (path === '/setup') return <SetupPage />;
  if (path === '/api/docs') return <ApiDocs />;
  if (now.kind === 'in') return <Inside key={now.user.id} />;
  if (now.kind === 'out') return <SignInPage expired={now.expired} />;
  return now.kind === 'unreachable' ? (
    <Failure error={now.error} retry={() => void loadSession()} />
  ) : (
    <Loading />
  );
}

const ROOM = /^\/consultations\/[^/]+\/room$/;

function Inside() {
  const { path } = useLocation();
  useEffect(startLive, []);
  const pages = (
    <Router>
      <Route path="/" component={Home} />
      <Route path="/desk/:tab" component={DeskPage} />
      <Route path="/consultations/new" component={NewConsultationPage} />
      <Route path="/consultations/:id" component={ConsultationPage} />
      <Route path="/consultations/:id/room" component={Room} />
      <Route path="/studies/:id" component={StudyPage} />
      <Route path="/archive" component={ArchivePage} />
      <Route path="/upload" component={UploadPage} />
      <Route path="/admin/:section" component={AdminPage} />
      <Route path="/admin/:section/:code" component={AdminPage} />
      <Route default component={NotFoundPage} />
    </Router>
  );
  return ROOM.test(path) ? pages : <Shell>{pages}</Shell>;
}

/** For programmers, with or without an account. */
function ApiDocs() {
  return <Lazy name="apidocs" load={async () => (await import('./pages/apidocs/ApiDocsPage')).ApiDocsPage as ComponentType} with={{}} />;
}

/** The room fills the window: no frame around it, and its code is fetched only here. */
function Room() {
  return <Lazy name="room" load={async () => (await import('./pages/room')).default as ComponentType} with={{}} />;
}

function Home() {
  const { route } = useLocation();
  const start = me().role === 'administrator' ? '/admin/hospitals' : '/desk/received';
  useEffect(() => route(start, true), [start]);
  return <Loading />;
}
