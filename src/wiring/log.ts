import { pino } from 'pino';

/** The gateway's own log, on stderr. Not evidence: what must be provable goes to the audit log. */
export interface Log {
  info(message: string, about?: Readonly<Record<string, unknown>>): void;
  warn(message: string, about?: Readonly<Record<string, unknown>>): void;
  error(message: string, about?: Readonly<Record<string, unknown>>): void;
}

/** The one place that knows `pino`. Fields that may hold secrets are never passed here. */
export function createLog(level: string = process.env['SALLYPORT_LOG'] ?? 'info'): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  return {
    info: (message, about) => logger.info(about ?? {}, message),
    warn: (message, about) => logger.warn(about ?? {}, message),
    error: (message, about) => logger.error(about ?? {}, message),
  };
}
