import { render } from 'preact';

render(<p>telemed</p>, document.getElementById('app')!);
