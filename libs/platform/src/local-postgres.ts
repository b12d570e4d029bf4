export { embeddedPrograms, postgresFiles, type PostgresFiles } from './postgres/embedded-files';
export { isAnswering } from './postgres/is-answering';
export { unprivilegedAccount, type Account } from './postgres/unprivileged-account';
