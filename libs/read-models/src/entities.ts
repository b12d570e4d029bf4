export { RunEntity } from './entities/run.entity';
export { WorkflowEntity } from './entities/workflow.entity';
export { AnchorEntity } from './entities/anchor.entity';
