export { StudyViewer } from './StudyViewer';
