import {readFileSync} from 'node:fs'
import {Client} from '@opensearch-project/opensearch'

const [url, script] = process.argv.slice(2)
const {connector, pipeline} = JSON.parse(readFileSync(script, 'utf8'))
const client = new Client({node: url, compression: 'gzip', suggestCompression: true})
const ML = '/_plugins/_ml'

async function ask(method, path, body) {
  return (await client.transport.request({method, path, body}, {})).body
}

async function refused(method, path) {
  try {
    await ask(method, path)
  } catch (error) {
    return [error.statusCode, error.body.error.reason]
  }
  throw new Error(`${method} ${path} was not refused`)
}

async function state(model) {
  return (await ask('GET', `${ML}/models/${model}`)).model_state
}

async function until(model, wanted) {
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    if (await state(model) === wanted) return wanted
  }
  return state(model)
}

async function register(members) {
  const made = await ask('POST', `${ML}/connectors/_create`, connector)
  const body = {name: 'm', function_name: 'remote', connector_id: made.connector_id, ...members}
  return (await ask('POST', `${ML}/models/_register`, body)).model_id
}

async function life() {
  const model = await register({})
  await ask('POST', `${ML}/models/${model}/_deploy`)
  const reached = await until(model, 'DEPLOYED')
  const answer = await ask('POST', `${ML}/models/${model}/_predict`, {parameters: {q: 'hello'}})
  await ask('POST', `${ML}/models/${model}/_undeploy`)
  const {result} = await ask('DELETE', `${ML}/models/${model}`)
  return [reached, answer.inference_results[0].status_code, result]
}

async function safeDelete() {
  await ask('PUT', '/_cluster/settings', {persistent: {'plugins.ml_commons.safe_delete_model': true}})
  const model = await register({})
  await ask('PUT', '/_ingest/pipeline/p', JSON.parse(JSON.stringify(pipeline).replace('MODEL', model)))
  const answer = await refused('DELETE', `${ML}/models/${model}`)
  await ask('DELETE', '/_ingest/pipeline/p')
  return [...answer, (await ask('DELETE', `${ML}/models/${model}`)).result]
}

async function timeToLive() {
  const model = await register({deploy_setting: {model_ttl_minutes: 1}})
  await ask('POST', `${ML}/models/${model}/_deploy`)
  await until(model, 'DEPLOYED')
  await ask('POST', '/_mock/clock', {advance: 120})
  return until(model, 'UNDEPLOYED')
}

console.log(JSON.stringify({
  life: await life(),
  safe_delete: await safeDelete(),
  time_to_live: await timeToLive(),
  error: await refused('GET', `${ML}/models/none`)
}))
