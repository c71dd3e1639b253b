/** The tools under the image. Buttons take no focus from the image, so that the keys keep working after a click. */
import type { ComponentChildren } from 'preact';

import { t } from '../i18n';
import { frameRate, isCine } from './cine';
import { Icon, type IconName } from './icons';
import type { Viewer } from './viewer';
import type { Tool } from './viewerModel';

const MOVING: [Tool & IconName, string][] = [
  ['window', 'W'],
  ['scroll', 'S'],
  ['pan', 'G'],
  ['zoom', 'Z'],
];
const MARKING: [Tool & IconName, string][] = [
  ['length', 'M'],
  ['arrow', 'A'],
  ['ellipse', 'E'],
  ['freehand', 'D'],
];

const keepFocus = (event: Event): void => event.preventDefault();

type ButtonProps = { icon: IconName; words: string; hotkey?: string; pressed?: boolean; disabled?: boolean; testid: string; act: () => void };

export function ToolButton({ icon, words, hotkey, pressed, disabled = false, testid, act }: ButtonProps) {
  return (
    <button
      type="button"
      class="tool"
      title={hotkey ? `${words} (${hotkey})` : words}
      aria-label={words}
      disabled={disabled}
      onMouseDown={keepFocus}
      onClick={act}
      data-testid={testid}
      {...(pressed !== undefined && { 'aria-pressed': pressed })}
    >
      <Icon name={icon} />
    </button>
  );
}

type ToolbarProps = { viewer: Viewer; mayMark: boolean; mayPoint: boolean; onHelp: () => void; children?: ComponentChildren };

export function Toolbar({ viewer, mayMark, mayPoint, onHelp, children }: ToolbarProps) {
  return (
    <div class="viewer-tools" role="toolbar" aria-label={t('viewer.tools')}>
      <ToolGroup viewer={viewer} tools={MOVING} />
      {mayMark && <ToolGroup viewer={viewer} tools={MARKING} />}
      {mayPoint && <ToolGroup viewer={viewer} tools={[['pointer', 'P']]} />}
      <PlayButton viewer={viewer} />
      <Turning viewer={viewer} />
      <PresetChoice viewer={viewer} />
      {children}
      <ToolButton icon="help" words={t('viewer.help')} hotkey="?" testid="viewer-help" act={onHelp} />
    </div>
  );
}

function ToolGroup({ viewer, tools }: { viewer: Viewer; tools: [Tool & IconName, string][] }) {
  return (
    <span class="tool-group">
      {tools.map(([tool, key]) => (
        <ToolButton
          key={tool}
          icon={tool}
          words={t(`viewer.tool.${tool}`)}
          hotkey={key}
          pressed={viewer.tool.value === tool}
          testid={`tool-${tool}`}
          act={() => (viewer.tool.value = tool)}
        />
      ))}
    </span>
  );
}

function PlayButton({ viewer }: { viewer: Viewer }) {
  const { frames, index, playing } = viewer;
  if (!isCine(frames.value, index.value)) return null;
  const rate = Math.round(frameRate(frames.value[index.value]!) * 10) / 10;
  const words = playing.value ? t('viewer.stop') : t('viewer.play', { rate });
  return (
    <span class="tool-group">
      <ToolButton icon={playing.value ? 'pause' : 'play'} words={words} hotkey="C" pressed={playing.value} testid="viewer-play" act={() => viewer.userPlay()} />
    </span>
  );
}

function Turning({ viewer }: { viewer: Viewer }) {
  const { invert, rotation, flip_h } = viewer.presentation.value;
  return (
    <span class="tool-group">
      <ToolButton icon="invert" words={t('viewer.invert')} hotkey="I" pressed={invert} testid="viewer-invert" act={() => viewer.userTurn({ invert: !invert })} />
      <ToolButton icon="rotate" words={t('viewer.rotate')} testid="viewer-rotate" act={() => viewer.userTurn({ rotation: (rotation + 90) % 360 })} />
      <ToolButton icon="flip" words={t('viewer.flip')} pressed={flip_h} testid="viewer-flip" act={() => viewer.userTurn({ flip_h: !flip_h })} />
      <ToolButton icon="reset" words={t('viewer.reset')} hotkey="R" testid="viewer-reset" act={() => viewer.userReset()} />
      <ToolButton
        icon="ai"
        words={t('viewer.findings')}
        pressed={viewer.showFindings.value}
        testid="viewer-findings"
        act={() => (viewer.showFindings.value = !viewer.showFindings.value)}
      />
    </span>
  );
}

function PresetChoice({ viewer }: { viewer: Viewer }) {
  if (!viewer.plane.value || viewer.frame.value?.color) return null;
  const presets = viewer.presets();
  const { window_center, window_width } = viewer.presentation.value;
  const now = presets.find(({ window }) => window[0] === window_center && window[1] === window_width);
  const choose = (event: Event & { currentTarget: HTMLSelectElement }) => {
    const preset = presets.find(({ key }) => key === event.currentTarget.value);
    if (preset) viewer.userWindow(preset.window);
    event.currentTarget.blur();
  };
  return (
    <select class="preset" aria-label={t('viewer.presets')} value={now?.key ?? ''} onChange={choose} data-testid="viewer-preset">
      {!now && <option value="">{t('viewer.preset.free')}</option>}
      {presets.map(({ key, label }) => (
        <option key={key} value={key}>
          {key} {t(label)}
        </option>
      ))}
    </select>
  );
}
