import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/table.css';
import './styles/pages.css';

import { render } from 'preact';

import { App } from './app';
import { openEarly } from './pages/study/opening';
import { loadSession } from './state/session';

void loadSession();
openEarly(location.pathname);
render(<App />, document.getElementById('app')!);
