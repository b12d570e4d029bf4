export { Auditor } from './auditor';
export { AUDITOR_SESSION, auditorSettings } from './auditor.config';
export { AuditorModule } from './auditor.module';
export { HintTransport } from './hint-transport';
