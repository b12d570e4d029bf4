import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '../openapi/api-decorators';
import { LIVE, WorkflowRegistry, type PublishedWorkflow } from '@foldwork/platform';
import { badRequest, Call, CallContext, invalidContent, NeedsRole, notFound } from '@foldwork/platform/http';
import { ApiBodyProblems, ApiProblems } from '../http/api-problems';
import { requireDocument } from '../http/document-text';
import { ReadModel } from '../runs/read-model';
import { iso } from '../runs/run-summary';
import { WORKFLOW_NAME } from '../submission/submit-run.dto';
import { DefinitionCheck, faultOfDiagnostic, type CheckedDefinition } from './definition-check';
import { DefinitionCatalog } from './definition-catalog';
import { PublishedWorkflowDto, PublishQueryDto, WorkflowCheckDto, WorkflowDto, WorkflowListDto, WorkflowVersionsDto } from './workflow.dto';

@ApiTags('workflows')
@Controller('orchestrator/workflows')
export class WorkflowsController {
  constructor(
    private readonly catalog: DefinitionCatalog,
    private readonly registry: WorkflowRegistry,
    private readonly definitions: DefinitionCheck,
    private readonly readModel: ReadModel,
  ) {}

  @Get()
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'All published workflows' })
  @ApiOkResponse({ type: WorkflowListDto })
  @ApiProblems()
  async list(@Call() call: CallContext): Promise<WorkflowListDto> {
    const workflows = await this.readModel.workflows(call.namespace);
    return {
      workflows: workflows.map(({ name, live, labels, publishedAt }) => ({
        workflow: name, ...(live !== undefined && { live }), labels, publishedAt: iso(publishedAt),
      })),
    };
  }

  @Post('check')
  @HttpCode(200)
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'Check a definition without publishing it; answers 200 with all diagnostics' })
  @ApiConsumes('application/yaml', 'application/json')
  @ApiBody({ schema: { type: 'object' } })
  @ApiOkResponse({ type: WorkflowCheckDto })
  @ApiBodyProblems()
  async checkOnly(@Body() body: unknown): Promise<WorkflowCheckDto> {
    const checked = await this.definitions.check(requireDocument(body));
    return { valid: checked.ok, ...(checked.ok && { hash: checked.hash }), diagnostics: [...checked.diagnostics] };
  }

  @Put(':name')
  @NeedsRole('operator')
  @ApiOperation({ summary: 'Publish a definition and point labels at it' })
  @ApiConsumes('application/yaml', 'application/json')
  @ApiBody({ schema: { type: 'object' } })
  @ApiCreatedResponse({ type: PublishedWorkflowDto })
  @ApiOkResponse({ type: PublishedWorkflowDto, description: 'All labels pointed at this definition already.' })
  @ApiBodyProblems(409)
  async publish(@Param('name') name: string, @Body() body: unknown, @Query() query: PublishQueryDto, @Call() call: CallContext): Promise<PublishedWorkflowDto> {
    const checked = await this.definitions.check(requireDocument(body));
    const { definition, hash, diagnostics } = requireValid(checked, name);
    await this.catalog.put(call.namespace, hash, definition);
    const labels = (query.labels ?? LIVE).split(',');
    const source = { namespace: call.namespace, name, metadata: call.metadata() };
    const triggers = (definition.triggers ?? []).map(({ signal }) => signal);
    const moved = await this.registry.publish(source, hash, { labels, triggers });
    void call.reply.status(moved ? 201 : 200);
    return { workflow: name, hash, labels, diagnostics: [...diagnostics] };
  }

  @Get(':name')
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'The definition a label points at: `name` for live, or `name@label`' })
  @ApiOkResponse({ type: WorkflowDto })
  @ApiProblems(404)
  async find(@Param('name') reference: string, @Call() call: CallContext): Promise<WorkflowDto> {
    const [name = '', label = LIVE] = reference.split('@');
    const published = await this.requirePublished(call.namespace, name);
    const hash = published.labels.get(label);
    const compiled = hash && (await this.catalog.get(call.namespace, hash));
    if (hash === undefined || compiled === undefined) throw workflowNotFound(reference);
    const labels = [...published.labels].filter(([, target]) => target === hash).map(([each]) => each);
    return { workflow: name, hash, labels, definition: compiled.definition };
  }

  @Get(':name/versions')
  @NeedsRole('viewer')
  @ApiOperation({ summary: 'Every publication of a workflow, newest first' })
  @ApiOkResponse({ type: WorkflowVersionsDto })
  @ApiProblems(404)
  async versions(@Param('name') name: string, @Call() call: CallContext): Promise<WorkflowVersionsDto> {
    const { publications } = await this.requirePublished(call.namespace, name);
    const versions = publications.map(({ version, definition, labels, at, actor }) => ({
      version, hash: definition, labels: [...labels], publishedAt: iso(at), publishedBy: actor,
    }));
    return { workflow: name, versions: versions.reverse() };
  }

  private async requirePublished(namespace: string, name: string): Promise<PublishedWorkflow> {
    if (!WORKFLOW_NAME.test(name)) throw workflowNotFound(name);
    const published = await this.registry.find(namespace, name);
    if (published.publications.length === 0) throw workflowNotFound(name);
    return published;
  }
}

const workflowNotFound = (reference: string) =>
  notFound('workflow_not_found', `There is no workflow ${reference.slice(0, 200)} in this namespace.`, 'GET /orchestrator/workflows lists all of them.');

type ValidDefinition = Extract<CheckedDefinition, { ok: true }>;

const requireValid = (checked: CheckedDefinition, name: string): ValidDefinition => {
  if (!WORKFLOW_NAME.test(name)) throw badRequest('invalid_workflow_name', 'A workflow\'s name has 1 to 128 letters, digits, dots, dashes and underscores.', 'Choose such a name.');
  if (!checked.ok) throw invalidContent(checked.diagnostics.map((each) => faultOfDiagnostic(each)));
  if (checked.definition.workflow === name) return checked;
  throw invalidContent([{ pointer: '/workflow', code: 'name_mismatch', message: `The definition is of ${checked.definition.workflow}, the path says ${name}.` }]);
};
